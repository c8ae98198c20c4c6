"""2.2 Calls between services work."""

import uuid

import pytest
from checklist.bookings import Bookings
from checklist.client import Code
from checklist.events import CAPACITY, Events
from checklist.sales import NOT_TO_BE_HAD, TAKE_THEM, is_sold, statuses, wish

from workbook.checks.verdict import expect, not_run

pytestmark = pytest.mark.usefixtures("_counts")

LEAVE_NOTHING = "cancel the booking when its tickets are refused, or store none: PENDING would look unfinished for ever"
GIVE_BACK = "tell the event service to give back the tickets of this booking, once"
NO_SUCH_EVENT = (Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.INVALID_ARGUMENT)


def test_takes_tickets(bookings: Bookings, events: Events, user: str) -> None:
    """A booking takes its tickets from its event, and from no other."""
    event, other = events.made(), events.made()
    bookings.book(user, event_id=event.id, ticket_count=3)
    left = events.left(event.id)
    expect(left == CAPACITY - 3, f"a booking of 3 of {CAPACITY} tickets left {left} available", TAKE_THEM)
    untouched = events.left(other.id)
    expect(untouched == CAPACITY, f"it also left {untouched} of {CAPACITY} of another event", "take them by event_id")


def test_sells_out(bookings: Bookings, events: Events, user: str) -> None:
    """The last tickets can be booked, and then no more."""
    event = events.made()
    bookings.create(user, "of all tickets", event_id=event.id, ticket_count=CAPACITY).ok()
    answer = bookings.create(user, "of a ticket more", event_id=event.id, ticket_count=1)
    answer.refused(*NOT_TO_BE_HAD, todo="answer FAILED_PRECONDITION: trying again does not help")


@pytest.fixture
def refused(_counts: None, bookings: Bookings, events: Events, user: str) -> str:
    """A user whose only wish was refused: 2 tickets are left, and 3 were wanted. Returns the reason."""
    event = events.made(capacity=2)
    answer = bookings.create(user, "of 3 tickets when 2 are left", event_id=event.id, ticket_count=3)
    answer.refused(*NOT_TO_BE_HAD, todo="answer FAILED_PRECONDITION, and take no ticket")
    left = events.left(event.id)
    expect(left == 2, f"{answer.call} was refused, and left {left} of 2", "take all tickets or none")
    return answer.reason


@pytest.mark.usefixtures("refused")
def test_refused_is_cancelled(bookings: Bookings, user: str) -> None:
    """A booking whose tickets were refused is CANCELLED, if it is there at all."""
    found = statuses(bookings, user)
    expect(set(found) <= {"CANCELLED"}, f"a booking refused as sold out is {', '.join(found)}", LEAVE_NOTHING)


def test_refused_has_reason(bookings: Bookings, user: str, refused: str) -> None:
    """A refusal says why, for programs."""
    if not refused:
        not_run("needs google.rpc.ErrorInfo in a refusal: an addition to the roadmap")
    expect(refused == "SOLD_OUT", f"the reason of a sold-out refusal is {refused!r}", "pass on the reason: SOLD_OUT")
    bookings.needs("Booking", "reason")
    kept = {booking.reason for booking in bookings.listed(user)}
    expect(kept <= {"SOLD_OUT"}, f"a booking refused as sold out keeps the reason {kept}", "store it with CANCELLED")


@pytest.mark.parametrize("event_id", ["no-such-event", str(uuid.uuid4())], ids=["a word", "an unknown id"])
def test_no_such_event(bookings: Bookings, user: str, event_id: str) -> None:
    """An event that is not there cannot be booked."""
    answer = bookings.create(user, "of an event that is not there", event_id=event_id, ticket_count=1)
    answer.refused(*NO_SUCH_EVENT, todo="ask the event service before you promise, and pass its no on")
    found = statuses(bookings, user)
    expect(set(found) <= {"CANCELLED"}, f"a booking of no event is {', '.join(found)}", LEAVE_NOTHING)


def test_cancel_gives_back(bookings: Bookings, events: Events, user: str) -> None:
    """A cancelled booking's tickets can be booked by someone else."""
    event = events.made()
    booking = bookings.book(user, event_id=event.id, ticket_count=CAPACITY)
    expect(bookings.cancel(booking.id).ok().success, "CancelBooking answered success = false", "cancel it and say true")
    left = events.left(event.id)
    expect(left == CAPACITY, f"a booking of all {CAPACITY} tickets was cancelled, and {left} are available", GIVE_BACK)
    answer = bookings.call("CreateBooking", "of tickets that were given back", **wish(event.id, CAPACITY))
    expect(is_sold(answer), answer.told(), GIVE_BACK)


def test_cancel_twice(bookings: Bookings, events: Events, user: str) -> None:
    """Cancelling twice gives the tickets back once."""
    event = events.made()
    bookings.book(user, event_id=event.id, ticket_count=5)
    booking = bookings.book(user, event_id=event.id, ticket_count=2)
    for case in ("", "of a cancelled booking"):
        bookings.cancel(booking.id, case).ok()
    left = events.left(event.id)
    expect(left == CAPACITY - 5, f"cancelling 2 tickets twice left {left} available, not {CAPACITY - 5}", GIVE_BACK)
