"""1.5 Tests written: wrong input, retries and races do no harm."""

import pytest
from checklist.bookings import Bookings, Code, Request, fresh

from workbook.checks.verdict import expect, not_run

AT_ONCE = 20
ROUNDS = 2  # a race is not lost every time
REFUSED = (Code.ALREADY_EXISTS, Code.FAILED_PRECONDITION, Code.INVALID_ARGUMENT, Code.ABORTED)
ONE_ROW_A_KEY = (
    "make (user_id, idempotency_key) UNIQUE, INSERT … ON CONFLICT DO NOTHING, and answer the row that is there"
)


@pytest.fixture
def wish(bookings: Bookings, user: str) -> Request:
    """A wish with an idempotency key, for servers that know keys."""
    bookings.needs("CreateBookingRequest", "idempotency_key")
    return {"user_id": user, "event_id": bookings.new_event(), "ticket_count": 2, "idempotency_key": fresh("key")}


@pytest.fixture
def _cancelling(bookings: Bookings) -> None:
    """For checks that go beyond one cancellation after the other, which is checked in 1.4."""
    booking = bookings.book(fresh("user"))
    bookings.cancel(booking.id)
    codes = {bookings.cancel(booking.id).code, bookings.get(booking.id).code}
    if codes != {Code.OK} or bookings.stored(booking.id).status != "CANCELLED":
        not_run("needs a CancelBooking that works, see 1.4")


def test_creates_at_once(bookings: Bookings, user: str) -> None:
    """Different wishes at once are as many bookings."""
    wishes = [{"user_id": user, "event_id": bookings.new_event(), "ticket_count": 1} for _ in range(AT_ONCE)]
    answers = bookings.at_once("CreateBooking", wishes, f"with {AT_ONCE} calls at once")
    ids = {answer.ok().booking.id for answer in answers}
    expect(
        len(ids) == AT_ONCE,
        f"{AT_ONCE} calls of CreateBooking at once got {len(ids)} different ids",
        "make ids where two calls cannot make the same one: a UUID, or the database",
    )
    for booking_id in ids:
        found = bookings.get(booking_id, f"made by one of {AT_ONCE} calls at once")
        expect(found.code is Code.OK, found.told(), "let each call write its own row; a shared map needs a lock")


@pytest.mark.usefixtures("_cancelling")
def test_cancels_at_once(bookings: Bookings, user: str) -> None:
    """Cancelling one booking many times at once cancels it."""
    booking = bookings.book(user)
    requests = [{"booking_id": booking.id} for _ in range(AT_ONCE)]
    for answer in bookings.at_once("CancelBooking", requests, f"with {AT_ONCE} calls for one booking at once"):
        answer.ok()
    status = bookings.stored(booking.id).status
    expect(
        status == "CANCELLED",
        f"after {AT_ONCE} cancellations at once the booking is {status!r}",
        "let one UPDATE decide: … SET status = 'CANCELLED' WHERE id = $1",
    )


def test_retry(bookings: Bookings, wish: Request) -> None:
    """A retry with the same key is the same booking."""
    first, again = (bookings.call("CreateBooking", **wish).ok().booking.id for _ in range(2))
    expect(
        first == again,
        "CreateBooking called again with the same idempotency_key made a second booking",
        ONE_ROW_A_KEY,
    )
    listed = bookings.page(wish["user_id"]).ok().bookings
    rows = {booking.id for booking in listed if booking.event_id == wish["event_id"]}
    expect(rows <= {first}, f"a retry with one key left {len(rows)} bookings in the list", ONE_ROW_A_KEY)


def test_retries_at_once(bookings: Bookings, wish: Request) -> None:
    """The same key many times at once is one booking."""
    for _ in range(ROUNDS):
        wish = {**wish, "idempotency_key": fresh("key")}
        answers = bookings.at_once("CreateBooking", [wish] * AT_ONCE, f"with {AT_ONCE} calls of one key at once")
        ids = {answer.ok().booking.id for answer in answers}
        expect(
            len(ids) == 1,
            f"{AT_ONCE} calls at once with the same idempotency_key made {len(ids)} bookings",
            f"between looking for the key and inserting, others do the same: {ONE_ROW_A_KEY}",
        )


def test_key_stands_for_one_wish(bookings: Bookings, wish: Request) -> None:
    """A key that was used for another wish is refused."""
    booking = bookings.call("CreateBooking", **wish).ok().booking
    for changed in ({"event_id": bookings.new_event()}, {"ticket_count": 3}):
        case = f"with a used idempotency_key and another {next(iter(changed))}"
        todo = "answer ALREADY_EXISTS: the caller must learn that this wish was not booked"
        bookings.call("CreateBooking", case, **{**wish, **changed}).refused(*REFUSED, todo=todo)
    count = bookings.stored(booking.id).ticket_count
    expect(
        count == booking.ticket_count,
        f"a used key with another ticket_count changed the first booking's from {booking.ticket_count} to {count}",
        "leave the first booking as it is",
    )


def test_key_belongs_to_user(bookings: Bookings, wish: Request) -> None:
    """Two users may happen to use the same key."""
    mine = bookings.call("CreateBooking", **wish).ok().booking
    case = "with a key that another user has used"
    theirs = bookings.call("CreateBooking", case, **{**wish, "user_id": fresh("user")}).ok().booking
    expect(
        mine.id != theirs.id,
        f"CreateBooking {case} answered the other user's booking",
        "look for the key among the bookings of this user_id",
    )


@pytest.mark.usefixtures("_cancelling")
def test_retry_after_cancel(bookings: Bookings, wish: Request) -> None:
    """A late retry does not bring a cancelled booking back."""
    booking = bookings.call("CreateBooking", **wish).ok().booking
    bookings.cancel(booking.id).ok()
    answer = bookings.call("CreateBooking", "with the key of a cancelled booking", **wish)
    status = bookings.stored(booking.id).status
    expect(
        status == "CANCELLED",
        f"{answer.call} turned the cancelled booking into {status!r}",
        "confirm only what is PENDING: UPDATE … WHERE id = $1 AND status = 'PENDING'",
    )
    if answer.code is Code.OK:
        made = answer.message.booking.id
        expect(made == booking.id, f"{answer.call} made a second booking", "one key is one booking, for ever")
