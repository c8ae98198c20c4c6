"""2.1 Event Service works."""

from collections.abc import Mapping
from typing import Any

import pytest
from checklist.client import Code
from checklist.events import CAPACITY, Events

from workbook.checks.verdict import expect

REFUSED = (Code.INVALID_ARGUMENT, Code.OUT_OF_RANGE)
NO_SUCH_ID = (Code.INVALID_ARGUMENT, Code.NOT_FOUND)
SAY_INVALID = "answer INVALID_ARGUMENT and store nothing: check each field before anything else"
SAY_NO_SUCH_ID = "answer INVALID_ARGUMENT or NOT_FOUND: check the id's form before it reaches code that may fail"

WRONG: Mapping[str, Mapping[str, Any]] = {
    "capacity -1": {"capacity": -1},
    "capacity -2147483648": {"capacity": -(2**31)},
    "an empty name": {"name": ""},
    "a blank name": {"name": "   "},
    "a name of 5000 characters": {"name": "e" * 5000},
    "a NUL in its name": {"name": "check\0name"},
    "an empty venue": {"venue": ""},
    "no starts_at": {"starts_at": None},
    "starts_at beyond the year 9999": {"starts_at": {"seconds": 2**62}},
}
IDS: Mapping[str, str] = {"empty": "", "a word": "nonsense", "a NUL": "\0", "a quote": "' OR '1'='1"}


@pytest.mark.parametrize("wrong", WRONG)
def test_event(events: Events, wrong: str) -> None:
    """A wrong event is refused."""
    events.create(f"with {wrong}", **WRONG[wrong]).refused(*REFUSED, todo=SAY_INVALID)


@pytest.mark.parametrize("form", IDS)
def test_get_malformed(events: Events, form: str) -> None:
    """GetEvent refuses what is no id."""
    events.get(IDS[form], f"of a malformed id ({form})").refused(*NO_SUCH_ID, todo=SAY_NO_SUCH_ID)


@pytest.mark.parametrize("form", IDS)
def test_change_malformed(events: Events, form: str) -> None:
    """UpdateAvailableTickets refuses what is no event's id."""
    events.change(IDS[form], 1, f"of a malformed id ({form})").refused(*NO_SUCH_ID, todo=SAY_NO_SUCH_ID)


@pytest.mark.parametrize("count", [0, -1, -(2**31)], ids=str)
def test_reserve_count(events: Events, count: int) -> None:
    """A reservation of no tickets, or of less than none, is refused."""
    events.needs_method("ReserveTickets")
    event = events.made()
    events.reserve(event.id, count, case=f"with ticket_count {count}").refused(*REFUSED, todo=SAY_INVALID)
    left = events.left(event.id)
    expect(left == CAPACITY, f"ReserveTickets with ticket_count {count} left {left} of {CAPACITY} tickets", SAY_INVALID)
