"""2.2 Calls between services work."""

import pytest
from checklist.bookings import Bookings
from checklist.client import Code, fresh
from checklist.events import CAPACITY, Events
from checklist.sales import NOT_TO_BE_HAD, is_sold, statuses, tickets_sold, wish

from workbook.checks.verdict import expect

pytestmark = pytest.mark.usefixtures("_counts")

BUYERS = 30
ROUNDS = 2  # a race is not lost every time
ONE_CALL_DECIDES = "do not ask and then act: others do the same in between. Let the call that takes the tickets decide"
ONE_KEY = "one key is one booking, and tickets are reserved by booking id, so that a retry takes none"


def test_never_oversells(bookings: Bookings, events: Events) -> None:
    """Many buyers at once, of several tickets each, never get more than there are."""
    for _ in range(ROUNDS):
        event = events.made()
        wishes = [wish(event.id, 1 + number % 3) for number in range(BUYERS)]
        answers = bookings.at_once("CreateBooking", wishes, f"with {BUYERS} buyers at once")
        sold, left = tickets_sold(wishes, answers), events.left(event.id)
        expect(sold <= CAPACITY, f"{BUYERS} buyers at once got {sold} tickets of {CAPACITY}", ONE_CALL_DECIDES)
        expect(left == CAPACITY - sold, f"{sold} of {CAPACITY} tickets sold, {left} available", ONE_CALL_DECIDES)


def test_sells_all(bookings: Bookings, events: Events) -> None:
    """Many buyers at once get all there are; the others hear that nothing is left, and hold nothing."""
    event = events.made()
    wishes = [wish(event.id, 1) for _ in range(BUYERS)]
    answers = bookings.at_once("CreateBooking", wishes, f"with {BUYERS} buyers at once, a ticket each")
    sold = tickets_sold(wishes, answers)
    for request, answer in zip(wishes, answers, strict=True):
        if not is_sold(answer):
            answer.refused(*NOT_TO_BE_HAD, todo="answer FAILED_PRECONDITION: an error of yours is no answer")
            held = set(statuses(bookings, request["user_id"]))
            expect(held <= {"CANCELLED"}, f"a buyer who was refused has a booking {held}", "cancel what was refused")
    expect(sold == CAPACITY, f"{BUYERS} buyers of a ticket each got {sold} of {CAPACITY}", ONE_CALL_DECIDES)


def test_cancels_at_once(bookings: Bookings, events: Events, user: str) -> None:
    """Cancelling one booking many times at once gives its tickets back once."""
    event = events.made()
    bookings.book(user, event_id=event.id, ticket_count=5)
    booking = bookings.book(user, event_id=event.id, ticket_count=1)
    bookings.at_once("CancelBooking", [{"booking_id": booking.id}] * 4, "with 4 calls for one booking at once")
    left = events.left(event.id)
    expect(
        left == CAPACITY - 5,
        f"4 cancellations at once of a booking of 1 ticket left {left} available, not {CAPACITY - 5}",
        "give back in the call that makes it CANCELLED, or by booking id, so that again changes nothing",
    )


@pytest.fixture
def _keys(bookings: Bookings) -> None:
    bookings.needs("CreateBookingRequest", "idempotency_key")


@pytest.mark.usefixtures("_keys")
def test_retry(bookings: Bookings, events: Events) -> None:
    """A retry with the same key takes no more tickets."""
    event = events.made()
    request = wish(event.id, 3, idempotency_key=fresh("key"))
    for case in ("", "again with the same idempotency_key"):
        bookings.call("CreateBooking", case, **request).ok()
    left = events.left(event.id)
    expect(left == CAPACITY - 3, f"a booking of 3 sent twice with one key took {CAPACITY - left} tickets", ONE_KEY)


@pytest.mark.usefixtures("_keys")
def test_retries_at_once(bookings: Bookings, events: Events) -> None:
    """The same key many times at once takes the tickets once."""
    event = events.made()
    request = wish(event.id, 1, idempotency_key=fresh("key"))
    answers = bookings.at_once("CreateBooking", [request] * CAPACITY, f"with {CAPACITY} calls of one key at once")
    for answer in answers:
        expect(answer.code is Code.OK, answer.told(), "answer all of them with the one booking")
    taken = CAPACITY - events.left(event.id)
    expect(taken == 1, f"{CAPACITY} calls at once for one ticket with one key took {taken} tickets", ONE_KEY)
