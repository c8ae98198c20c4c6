"""1.4 CRUD operations work."""

import time

from checklist.bookings import Bookings, Code
from checklist.ids import unknown_like

from workbook.checks.verdict import expect

STATUSES = ("PENDING", "CONFIRMED", "CANCELLED")
CLOCK_TOLERANCE = 600  # seconds between the server's clock and ours: far less than a wrong time zone


def test_create(bookings: Bookings, user: str) -> None:
    """A new booking has an id and is PENDING or CONFIRMED."""
    booking = bookings.book(user)
    expect(booking.id, "CreateBooking answered a booking with an empty id", "give each booking an id of its own")
    expect(
        booking.status in STATUSES[:2],
        f"CreateBooking answered status {booking.status!r}",
        "answer PENDING or CONFIRMED, written like this",
    )


def test_created_at(bookings: Bookings, user: str) -> None:
    """A new booking says when it was made."""
    created_at = bookings.book(user).created_at
    expect(created_at.seconds, "CreateBooking answered a booking without created_at", "fill it from the stored row")
    off = created_at.seconds - time.time()
    expect(
        abs(off) < CLOCK_TOLERANCE,
        f"created_at of a new booking is {off / 3600:+.1f} hours from now",
        "a Timestamp is UTC: use timestamptz, or convert",
    )


def test_ids_are_unique(bookings: Bookings, user: str) -> None:
    """The same wish twice is two bookings with two ids."""
    event = bookings.new_event()
    first, second = (bookings.book(user, event_id=event, ticket_count=1).id for _ in range(2))
    expect(
        first != second,
        f"CreateBooking gave the id {first!r} twice",
        "make each id anew, such as a UUID, not from the request",
    )


def test_get(bookings: Bookings, user: str) -> None:
    """GetBooking answers the booking as it was made."""
    made = bookings.book(user, ticket_count=4)
    found = bookings.stored(made.id)
    for field in ("id", "user_id", "event_id", "ticket_count"):
        wanted, got = getattr(made, field), getattr(found, field)
        expect(
            wanted == got,
            f"GetBooking answered {field} {got!r} for a booking made with {wanted!r}",
            "read back what you stored",
        )


def test_get_unknown(bookings: Bookings, user: str) -> None:
    """GetBooking of an id nobody has is NOT_FOUND."""
    unknown = unknown_like(bookings.book(user).id)
    bookings.get(unknown, "of an unknown id").refused(Code.NOT_FOUND, todo="answer NOT_FOUND when no row has this id")


def test_list_is_complete(bookings: Bookings, user: str) -> None:
    """ListUserBookings has all bookings of the user, each once."""
    booked = sorted(bookings.book(user).id for _ in range(3))
    listed = [booking.id for booking in bookings.listed(user)]
    missing, repeated = set(booked) - set(listed), len(listed) - len(set(listed))
    expect(not missing, f"ListUserBookings lacks {len(missing)} of the user's 3 bookings", "select by user_id alone")
    expect(not repeated, f"ListUserBookings has {repeated} bookings more than once", "list each booking once")


def test_list_is_private(bookings: Bookings, user: str) -> None:
    """ListUserBookings has nobody else's bookings."""
    bookings.book(user)
    for other in (f"{user}x", user[:-1]):
        bookings.book(other)
    strangers = {booking.user_id for booking in bookings.listed(user)} - {user}
    expect(
        not strangers,
        f"ListUserBookings of one user has bookings of others: {', '.join(sorted(strangers)[:3])}",
        "select the rows whose user_id equals the one asked for: WHERE user_id = $1",
    )


def test_list_of_nobody(bookings: Bookings, user: str) -> None:
    """The list of a user who never booked is empty."""
    found = bookings.page(user, "of a user without bookings").ok().bookings
    expect(not found, f"ListUserBookings of a user without bookings has {len(found)}", "select by user_id")


def test_list_newest_first(bookings: Bookings, user: str) -> None:
    """ListUserBookings is newest first."""
    booked = [bookings.book(user).id for _ in range(4)]
    listed = [booking.id for booking in bookings.listed(user) if booking.id in booked]
    expect(
        listed == booked[::-1],
        "ListUserBookings is not in the order newest first",
        "ORDER BY created_at DESC, id DESC, with created_at finer than a second",
    )


def test_cancel(bookings: Bookings, user: str) -> None:
    """A cancelled booking is CANCELLED and stays in the list."""
    booking = bookings.book(user)
    answer = bookings.cancel(booking.id).ok()
    expect(answer.success, "CancelBooking of a fresh booking answered success = false", "cancel it and say true")
    status = bookings.get(booking.id, "of a cancelled booking").ok().booking.status
    expect(
        status == "CANCELLED",
        f"CancelBooking answered success, and GetBooking still says {status!r}",
        "store the status CANCELLED before you answer",
    )
    listed = {found.id: found.status for found in bookings.listed(user)}
    expect(
        listed.get(booking.id) == "CANCELLED",
        f"ListUserBookings has the cancelled booking as {listed.get(booking.id, 'missing')!r}",
        "keep the row and set its status: users want to see what they cancelled",
    )


def test_cancel_one(bookings: Bookings, user: str) -> None:
    """Cancelling one booking leaves the others alone."""
    event = bookings.new_event()
    cancelled, kept = (bookings.book(user, event_id=event) for _ in range(2))
    bookings.cancel(cancelled.id).ok()
    expect(
        bookings.stored(kept.id).status != "CANCELLED",
        "CancelBooking cancelled another booking of the same user too",
        "update the one row: WHERE id = $1",
    )


def test_cancel_twice(bookings: Bookings, user: str) -> None:
    """Cancelling twice is as good as once."""
    booking = bookings.book(user)
    bookings.cancel(booking.id).ok()
    again = bookings.cancel(booking.id, "of a cancelled booking")
    todo = "answer OK and success: who retries must not get an error for what has happened"
    expect(again.code is Code.OK, again.told(), todo)
    expect(again.message.success, "CancelBooking of a cancelled booking answered success = false", todo)
    status = bookings.stored(booking.id).status
    expect(status == "CANCELLED", f"after cancelling twice the booking is {status!r}", "a cancelled one stays so")


def test_cancel_unknown(bookings: Bookings, user: str) -> None:
    """Cancelling an id nobody has does not succeed."""
    answer = bookings.cancel(unknown_like(bookings.book(user).id), "of an unknown id")
    todo = "answer NOT_FOUND when the UPDATE changed no row and no row has this id"
    if answer.code is Code.OK:
        expect(not answer.message.success, f"{answer.call} answered success", todo)
    else:
        answer.refused(Code.NOT_FOUND, todo=todo)


def test_cancel_reason(bookings: Bookings, user: str) -> None:
    """The reason of a cancellation is kept, and the first one stays."""
    bookings.needs("CancelBookingRequest", "reason")
    bookings.needs("Booking", "reason")
    booking, reason = bookings.book(user), "changed my mind"
    for said in (reason, "another reason"):
        bookings.cancel(booking.id, reason=said).ok()
    kept = bookings.stored(booking.id).reason
    expect(
        kept == reason,
        f"a booking cancelled for {reason!r}, then again for another reason, has the reason {kept!r}",
        "store the reason with the status; cancelling again changes nothing",
    )
