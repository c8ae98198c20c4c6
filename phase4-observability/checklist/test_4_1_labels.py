"""4.1 The services' metrics are there."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from checklist.callers import Buyers
from checklist.contract import SERVICE
from checklist.page import SETTLE, Series, told
from checklist.sales import comes_true
from checklist.shown import NAMES, Shown, named, samples_of
from checklist.visit import Visit

from workbook.checks.verdict import expect

ODD = 50
SHORT = 5  # characters; such an id may stand anywhere by chance
CLOSED = "take label values from closed sets: known methods and `other`, codes, statuses; never what a caller sent"
_NAMES = [name for metric in NAMES for name in samples_of(metric)]


@pytest.mark.usefixtures("counted")
def test_odd_requests(buyers: Buyers, some_pages: Mapping[str, Shown]) -> None:
    """No caller can make a series: 50 methods that nobody has, and 50 ids, make none."""
    _be_odd(buyers, 1)
    before = _settled(some_pages)
    _be_odd(buyers, ODD)
    new = _settled(some_pages) - before
    such = told(min(new)) if new else ""
    said = f"{ODD} unknown methods and {ODD} unknown ids made {len(new)} series, such as {such}"
    expect(not new, said, CLOSED)


def test_no_ids(counted: Visit, some_pages: Mapping[str, Shown]) -> None:
    """No label holds an id: of a booking, a user or a trace, or an event where the roadmap's metrics are."""
    anywhere = {word for booking in counted.sold for word in (booking.id, booking.user_id)}
    anywhere |= {sent.trace_id for sent in counted.traces.values()}
    here = anywhere | {booking.event_id for booking in counted.sold}
    for name, page in some_pages.items():
        for figure in {*counted.after[name], *page.figures()}:
            ids = here if figure[0] in _NAMES else anywhere
            held = [value for _, value in figure[1] if any(word in value for word in ids if len(word) > SHORT)]
            expect(not held, f"{told(figure)} on {name} holds an id" if held else "", CLOSED)


def test_never_falls(some_pages: Mapping[str, Shown], counted: Visit) -> None:
    """What is counted never falls."""
    del counted
    fell = [said for page in some_pages.values() for said in page.fell]
    said = f"{fell[0]}, {len(fell)} times in all such a fall" if fell else ""
    expect(not fell, said, "count up only; what goes up and down is a gauge, by another name")


def _be_odd(buyers: Buyers, times: int) -> None:
    for _ in range(times):
        word = secrets.token_hex(4)
        for path in (f"/{SERVICE}/Odd{word}", f"/odd.{word}/Method"):
            ask: Any = buyers.channel.unary_unary(path)
            ask.future(b"", timeout=buyers.system.patience).exception()
        buyers.attempt("GetBooking", booking_id=str(uuid.uuid4()))


def _settled(pages: Mapping[str, Shown]) -> set[Series]:
    """The series of the roadmap's metrics, once those of the last call are there."""
    found: set[Series] = set()

    def same() -> bool:
        nonlocal found
        before, found = found, {each for page in pages.values() for each in named(page.figures(), *_NAMES)}
        return before == found

    comes_true(same, SETTLE * 5)
    return found
