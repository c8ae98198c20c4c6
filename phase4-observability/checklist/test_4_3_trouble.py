"""4.3 One request is one trace."""

from dataclasses import dataclass
from statistics import median

import pytest
from checklist.callers import Buyers, Sellers, new_trace
from checklist.client import Answer
from checklist.holding import Held
from checklist.outcomes import CONTRACT
from checklist.sales import comes_true, is_sold, wish
from checklist.stores import Store
from checklist.traced import Trace, Traced

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

BUYERS = 6
BESIDE = "send spans in the background, a batch at a time, with a limit on what waits: BatchSpanProcessor"
FAULTS = {"UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DATA_LOSS"}


@dataclass(frozen=True, slots=True)
class Away:
    """What was answered while the store was paused, and in how many seconds as a rule; whether traces came again."""

    answers: list[Answer]
    seconds: float
    comes_again: bool


@pytest.fixture(scope="module")
def away(system: System, traced: Traced, store: Store, buyers: Buyers, sellers: Sellers) -> Away:
    if traced.sold.first is None:
        not_run("needs traces that come, see above")
    system.needs_pause()
    event = sellers.made(capacity=100).id
    with system.paused(store.name):
        told = [_booked(system, buyers, event)]
        while len(told) < BUYERS and is_sold(told[-1][0]):  # one that was lost says it all, and took a whole deadline
            told.append(_booked(system, buyers, event))
    as_a_rule = median(took for _, took in told)  # one may be slow because the machine is
    return Away([answer for answer, _ in told], as_a_rule, _comes_again(system, store, buyers, event))


def test_fault(system: System, store: Store, traced: Traced, held: Held) -> None:
    """A fault is an error in its trace."""
    if held.failed is None or held.failed.code.name not in FAULTS:
        not_run("needs a booking service that fails while the event service is away")
    trace = _trace_of(system, store, held)
    if trace.first is None:
        not_run("needs the trace of a call that failed")
    if not trace.first.error and not traced.in_contract:
        not_run(f"needs spans that say what is an error: {CONTRACT}")
    said = f"{held.failed.told()}, and the server's span is no error"
    expect(trace.first.error, said, "set the status of the span when the call ends, by its code")


def test_harmless(system: System, away: Away) -> None:
    """A store of traces that hangs hurts no booking."""
    lost = [answer for answer in away.answers if not is_sold(answer)]
    expect(not lost, f"{lost[0].told()} while the store of traces was paused" if lost else "", BESIDE)
    said = f"a booking took {away.seconds:.1f} s as a rule while the store of traces was paused"
    expect(away.seconds < system.patience / 2, said, BESIDE)


def test_comes_again(away: Away) -> None:
    """When the store is there again, traces are as well."""
    expect(away.comes_again, "no trace came any more after the store of traces had been paused", BESIDE)


def _booked(system: System, buyers: Buyers, event: str) -> tuple[Answer, float]:
    with buyers.tracing(new_trace()):
        return buyers.patiently("CreateBooking", system.patience, **wish(event, 1))


def _comes_again(system: System, store: Store, buyers: Buyers, event: str) -> bool:
    trace = new_trace()
    with buyers.tracing(trace):
        buyers.attempt("CreateBooking", **wish(event, 1))
    return comes_true(lambda: Trace(trace, store.trace(trace.trace_id)).first is not None, 4 * system.within)


def _trace_of(system: System, store: Store, held: Held) -> Trace:
    def look() -> Trace:
        return Trace(held.fault, store.trace(held.fault.trace_id))

    comes_true(lambda: look().first is not None, 2 * system.within)
    return look()
