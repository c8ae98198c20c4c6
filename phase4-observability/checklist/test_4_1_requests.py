"""4.1 The services' metrics are there."""

import pytest
from checklist.holding import BOOK, Held
from checklist.outcomes import (
    CODES,
    CONTRACT,
    METHODS,
    in_contract,
    needs_contract,
    of_method,
    requests,
    tells_codes,
    timed,
    told,
)
from checklist.outcomes import grown as grown_by
from checklist.page import Figures
from checklist.shown import REQUESTS, SECONDS
from checklist.tallies import ALONE, counts, requests_grown
from checklist.visit import OUTCOMES, Visit

from workbook.checks.verdict import Wrong, expect, not_run

EVERY_END = "count where every request ends, however it does: an exception, an abort and a caller that leaves as well"
SAY_CODE = "label it with the code that the caller gets"
SERVICES = ("booking-metrics", "event-metrics")
LEFT = ("cancelled by its caller", "with a deadline that passed")
_NONE = {"CANCELLED", "DEADLINE_EXCEEDED"}


@pytest.mark.parametrize("page", SERVICES)
def test_counted(counted: Visit, page: str) -> None:
    """Every request is counted once."""
    if page not in counted.after:
        not_run(f"needs the page of {page.partition('-')[0]}-service: --target {page}=HOST:PORT,…")
    found, ended = requests_grown(page, counted.before, counted.after), counted.ended[page]
    if any(method == "" for method, _ in found):
        count, wanted = sum(found.values()), sum(ended.values())
        expect(count >= wanted, f"{REQUESTS} grew by {count} with {wanted} requests", EVERY_END)
        return
    for method in dict(ended):
        count, wanted = of_method(found, method[0]), of_method(ended, method[0])
        said = f"{REQUESTS} counted {count} of {wanted} calls of {method[0]}: {told(found, method[0])}"
        expect(counts(page, count, wanted), said, EVERY_END)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_outcome(counted: Visit, kind: str) -> None:
    """A request is counted by what its caller got."""
    method, answer = counted.outcomes[kind]
    if (kind == "OK") is not (answer.code.name == "OK"):
        not_run(f"needs a service that answers {kind} to {answer.call}, it answered {answer.code.name}")
    found = requests_grown(ALONE, counted.before, counted.after)
    if found and not tells_codes(found):
        not_run(f"needs a label of {REQUESTS} that tells the code: {CONTRACT}")
    _expect_counted(found[method, answer.code.name], counted.ended[ALONE][method, answer.code.name], kind)


def _expect_counted(count: int, wanted: int, kind: str) -> None:
    expect(count == wanted, f"{REQUESTS} grew by {count} with {wanted} calls that ended with {kind}", SAY_CODE)


@pytest.mark.parametrize("kind", LEFT)
def test_left(figures: Figures, held: Held, kind: str) -> None:
    """A request that nobody waits for any more is counted, and not as OK."""
    answer, found = held.left[kind]
    if answer.code.name not in _NONE:
        not_run(f"needs a booking service that waits for the event service: it answered {answer.code.name}")
    if not found:
        raise Wrong(f"a {BOOK} {kind} was not counted", EVERY_END)
    codes = {code for (method, code), _ in found.items() if method in {BOOK, ""}}
    expect("OK" not in codes, f"a {BOOK} {kind} was counted as OK", SAY_CODE)
    if in_contract(figures):
        said = f"a {BOOK} {kind} was counted as {', '.join(sorted(codes))}, not as CANCELLED or DEADLINE_EXCEEDED"
        expect(codes <= _NONE, said, SAY_CODE)


def test_timed(counted: Visit) -> None:
    """Each request is timed."""
    before, after = counted.before[ALONE], counted.after[ALONE]
    methods = METHODS[ALONE]
    found = grown_by(timed(before, methods), timed(after, methods))
    wanted = requests_grown(ALONE, counted.before, counted.after)
    if any(method == "" for method, _ in found):
        count, all_of = sum(found.values()), sum(wanted.values())
        expect(count >= all_of, f"{SECONDS}_count grew by {count} with {all_of} requests", EVERY_END)
        return
    for method in dict.fromkeys(method for method, _ in wanted):
        count, all_of = of_method(found, method), of_method(wanted, method)
        said = f"{SECONDS}_count grew by {count} with {all_of} calls" + (f" of {method}" if method else "")
        expect(count == all_of, said, EVERY_END)


def test_seconds(counted: Visit) -> None:
    """The times are seconds."""
    before, after = counted.before[ALONE], counted.after[ALONE]
    names = f"{SECONDS}_sum"
    took = sum(value - before.get(figure, 0) for figure, value in after.items() if figure[0] == names)
    if not any(figure[0] == names for figure in after):
        not_run(f"needs {SECONDS}, see above")
    said = f"{names} grew by {took:g} in {counted.seconds:.2f} s, one call after the other"
    # Twice, for what others asked meanwhile, such as health checks.
    expect(0 < took < 2 * counted.seconds + 0.5, said, "observe seconds, as Prometheus' base unit has it")


def test_from_the_start(figures: Figures) -> None:
    """Whatever may come is there from the start, at 0: a rate sees the first error."""
    needs_contract(figures, "all of its series from the start")
    for method in METHODS[ALONE]:
        known = requests(figures, (method,))
        missing = [code for code in CODES if (method, code) not in known]
        said = f"{REQUESTS} has no series for {method} and {', '.join(missing[:3])}" if missing else ""
        expect(not missing, said, "make the series of all methods and codes when the service starts")
