"""2.1 Event Service works."""

import uuid

import pytest
from checklist import ledger
from checklist.client import Code
from checklist.events import Events

TOMBSTONE = "let a release that finds nothing leave a row that makes a later reserve of this booking fail"


@pytest.fixture(autouse=True)
def _reservations(events: Events) -> None:
    events.needs_method("ReserveTickets", "ReleaseTickets")


def test_reserve(events: Events) -> None:
    """Reserved tickets are no longer available."""
    ledger.reserved(events)


def test_reserve_again(events: Events) -> None:
    """One booking's reservation sent again takes nothing more."""
    ledger.reserved_again(events)


def test_same_at_once(events: Events) -> None:
    """One booking's reservation sent many times at once takes its tickets once."""
    ledger.reserved_by_one_at_once(events)


def test_other_count(events: Events) -> None:
    """One booking cannot reserve another count the second time."""
    event, booking = events.made(), str(uuid.uuid4())
    events.reserve(event.id, 3, booking).ok()
    answer = events.reserve(event.id, 4, booking, "of a booking that holds another count")
    answer.refused(Code.FAILED_PRECONDITION, Code.ALREADY_EXISTS, todo="refuse: OK would say that 4 are reserved")


def test_sold_out(events: Events) -> None:
    """More tickets than are left are refused, all of them."""
    ledger.sold_out(events)


def test_unknown_event(events: Events) -> None:
    """Tickets of an event that is not there are NOT_FOUND."""
    ledger.unknown_event(events)


def test_at_once(events: Events) -> None:
    """Many buyers at once get no more tickets than there are, and all there are."""
    ledger.reserved_at_once(events)


def test_release(events: Events) -> None:
    """Released tickets are available again."""
    ledger.released(events)


def test_release_again(events: Events) -> None:
    """A release sent again gives nothing more back."""
    ledger.released_again(events)


def test_releases_at_once(events: Events) -> None:
    """One booking's release sent many times at once gives its tickets back once."""
    ledger.released_at_once(events)


def test_release_first(events: Events) -> None:
    """A release that overtakes its reserve makes the late reserve fail."""
    event, booking = events.made(), str(uuid.uuid4())
    events.release(booking, "before its reserve").ok()
    answer = events.reserve(event.id, 3, booking, "after its release")
    answer.refused(Code.FAILED_PRECONDITION, todo=TOMBSTONE)


def test_reserve_after_release(events: Events) -> None:
    """What was given back cannot be reserved again by the same booking."""
    event, booking = events.made(), str(uuid.uuid4())
    events.reserve(event.id, 3, booking).ok()
    events.release(booking).ok()
    answer = events.reserve(event.id, 3, booking, "of a booking that has given its tickets back")
    answer.refused(Code.FAILED_PRECONDITION, todo="a released booking stays released: a late retry must not revive it")
