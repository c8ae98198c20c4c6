"""The incident: something is broken while people book, and nobody says what.

incident = begin(stack)          # draws one of the faults, and looks for a while
incident.figures()               # then and now
incident.waterfall()             # the slowest booking
incident.log("booking-service")  # what it wrote since
incident.end()                   # mends it
"""

import atexit
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields
from math import isnan

from workbook.part import State
from workbook.props.evidence import BOOKING, CONSUMER, CREATE, Evidence, Figures, figures_between, pages
from workbook.props.faults import FAULTS, Cause
from workbook.props.gentle import Gentle
from workbook.stack import LocalStack
from workbook.traces.client import Traces
from workbook.traces.span import Span
from workbook.traces.waterfall import waterfall

_GLANCE = 0.1  # seconds
_SETTLES = 0.5  # seconds in which what was under way ends as if nothing had happened
_EXPORTED = 3.0  # seconds until a booking's span is at the receiver, at the latest
_running: list["Incident"] = []


class NotWell(Exception):
    """The system is not well by itself, so nobody could tell what an incident does to it."""


class Incident:
    """One fault in a running system, from `begin` to `end`; `evidence` is what was seen of it."""

    def __init__(self, stack: LocalStack, cause: Cause, evidence: Evidence, undo: ExitStack) -> None:
        self._stack, self._cause, self._undo = stack, cause, undo
        self.evidence = evidence

    def is_it(self, cause: Cause) -> bool:
        return cause == self._cause

    def figures(self) -> None:
        """Prints the figures, before and now."""
        print(f"{'':24}{'before':>12}{'now':>12}")
        for figure in fields(Figures):
            before, now = (getattr(each, figure.name) for each in (self.evidence.before, self.evidence.now))
            print(f"{figure.name:24}{_shown(before):>12}{_shown(now):>12}")

    def waterfall(self) -> None:
        """Shows the slowest booking that was made meanwhile, or one that failed."""
        waterfall(self.evidence.trace)

    def log(self, name: str, lines: int = 12) -> None:
        """Prints what a part has written since the incident began, the last lines of it."""
        print("\n".join(self.evidence.logs[name].splitlines()[-lines:]) or "nothing")

    def end(self) -> Cause:
        """Undoes it, waits until the system is well again, and says what it was."""
        self._undo.close()
        if self in _running:
            _running.remove(self)
            until_well(self._stack)
        return self._cause


def begin(
    stack: LocalStack,
    cause: Cause | None = None,
    *,
    before: float = 2,
    during: float = 4,
    per_second: float = 10,
) -> Incident:
    """Injects `cause`, or one that is drawn. Looks for `before` seconds first, then for `during` seconds."""
    for incident in _running.copy():
        incident.end()
    until_well(stack)
    cause = cause or random.choice(list(Cause))  # noqa: S311 - a riddle, no secret
    undo = ExitStack()
    atexit.register(undo.close)  # before the stack stops: whoever is frozen would not end
    try:
        customers = undo.enter_context(Gentle(stack, per_second))
        well = _looked(stack, before)
        logs = {name: part.log.stat().st_size for name, part in stack.parts.items() if part.log.exists()}
        undo.enter_context(FAULTS[cause](stack, customers.event_id))
        evidence = _seen(stack, well, logs, during)
    except BaseException:
        undo.close()
        raise
    _running.append(Incident(stack, cause, evidence, undo))
    return _running[-1]


def _seen(stack: LocalStack, before: Figures, logs: Mapping[str, int], seconds: float) -> Evidence:
    time.sleep(_SETTLES)
    since = time.time_ns()
    now = _looked(stack, seconds)
    written = {name: _written(stack, name, size) for name, size in logs.items()}
    return Evidence(before, now, _worst_trace(stack, since), written)


def running() -> Incident | None:
    """The one that was begun in this process and not ended."""
    return _running[-1] if _running else None


def until_well(stack: LocalStack, patience: float = 30) -> None:
    """Waits until the parts run and nothing is left of an earlier fault; raises NotWell when that does not come."""
    deadline = time.monotonic() + patience
    while problem := _problem(stack):
        if time.monotonic() > deadline:
            raise NotWell(problem)
        time.sleep(_GLANCE)


def _problem(stack: LocalStack) -> str:
    needed = ("postgres", "kafka", "traces", *stack.metrics_addresses())  # not the copies that a lesson had
    if stopped := [name for name in needed if stack[name].state is not State.RUNNING]:
        return f"{stopped[0]} is {stack[stopped[0]].state}: start it first"
    seen = pages(stack)
    if silent := [name for name, page in seen.items() if page.samples is None]:
        return f"{silent[0]} does not answer"
    if seen[BOOKING].total("outbox_relay_leads") != 1 or seen[BOOKING].total("outbox_oldest_seconds") > 1:
        return "messages wait in the outbox"
    return "" if seen[CONSUMER].total("consumer_lag_messages") == 0 else "messages are not counted yet"


def _looked(stack: LocalStack, seconds: float) -> Figures:
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(pages, stack)  # the while does not begin only when a page that hangs is given up
        time.sleep(seconds)
        return figures_between(first.result(), pages(stack))


def _written(stack: LocalStack, name: str, since: int) -> str:
    with stack[name].log.open("rb") as log:
        log.seek(since)
        return log.read().decode(errors="replace")


def _worst_trace(stack: LocalStack, since: int) -> list[Span]:
    """Of a booking that began since then: one that failed, else the slowest, with what came of its spans by now."""
    traces = Traces(stack["traces"].address)
    time.sleep(int(stack.environment_of(BOOKING).get("OTEL_BSP_SCHEDULE_DELAY", "1000")) / 1000)
    deadline = time.monotonic() + _EXPORTED
    while not (bookings := _bookings(traces, since)) and time.monotonic() < deadline:
        time.sleep(_GLANCE)
    if not bookings:
        return []
    return traces.trace(max(bookings, key=lambda span: (span.error, span.milliseconds)).trace_id)


def _bookings(traces: Traces, since: int) -> list[Span]:
    spans = traces.spans(service=BOOKING, newest=5000)
    return [span for span in spans if span.start >= since and span.name == CREATE and span.kind == "SERVER"]


def _shown(value: float) -> str:
    return "-" if isnan(value) else f"{value:,.3g}"
