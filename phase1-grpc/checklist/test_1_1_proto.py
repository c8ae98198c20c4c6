"""1.1 Proto written and compiled."""

import uuid
from collections.abc import Mapping

import pytest
from checklist import contract
from checklist.bookings import Bookings, Code, Request, fresh

from workbook.checks.verdict import expect, not_run

REQUESTS: Mapping[str, Request] = {
    "CreateBooking": {"user_id": fresh("user"), "event_id": fresh("event"), "ticket_count": 1},
    "GetBooking": {"booking_id": str(uuid.uuid4())},
    "ListUserBookings": {"user_id": fresh("user")},
    "CancelBooking": {"booking_id": str(uuid.uuid4())},
}
COPY_THE_PROTO = (
    "copy the message from the roadmap's booking.proto and compile again: names and numbers are the contract"
)


@pytest.mark.parametrize("method", contract.METHODS)
def test_method(bookings: Bookings, method: str) -> None:
    """The method is there under its name."""
    answer = bookings.attempt(method, **REQUESTS[method])
    if answer.code is Code.UNAVAILABLE:
        bookings.still_there(answer.call)
    expect(
        answer.code is not Code.UNIMPLEMENTED,
        f"/{contract.SERVICE}/{method} answered UNIMPLEMENTED",
        f"write `package booking; service BookingService {{ rpc {method} … }}`, implement it, register the servicer",
    )


def test_booking_on_the_wire(bookings: Bookings, user: str) -> None:
    """A booking comes back in the fields it was sent in."""
    wish: Request = {"user_id": user, "event_id": bookings.new_event(), "ticket_count": 3}
    booking = bookings.call("CreateBooking", **wish).ok().booking
    for name, sent in wish.items():
        received = getattr(booking, name)
        number, _ = contract.ROADMAP["Booking"][name]
        expect(
            received == sent,
            f"CreateBooking was sent {name} {sent!r} and answered a booking with {name} {received!r}",
            f"fill {name} of Booking, which is field {number}",
        )


@pytest.mark.parametrize("message", contract.ROADMAP)
def test_message(bookings: Bookings, message: str) -> None:
    """The message has the roadmap's fields, numbers and types."""
    if bookings.served is None:
        not_run("needs server reflection; without it, what this workbook adds to the roadmap is taken to be there")
    expect(message in bookings.served, f"the server has no message booking.{message}", COPY_THE_PROTO)
    served = contract.fields_of(bookings.served[message])
    for field, (number, kind) in contract.ROADMAP[message].items():
        seen = "no such field" if field not in served else f"{served[field][1]} {field} = {served[field][0]}"
        wanted = f"{kind} {field} = {number}"
        expect(seen == wanted, f"{message} should have `{wanted}` and has `{seen}`", COPY_THE_PROTO)
