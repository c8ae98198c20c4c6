"""What the check of task 5.8 tries: callers, calls, and what the system's own table says of each."""

from collections.abc import Iterator
from typing import Any

from access.callers import Caller, NotAllowed, NotAuthenticated, Role
from booking_service.domain import BookingNotFound
from booking_service.proto import booking_pb2 as pb
from event_service.proto import event_pb2

BOOKING, EVENT = "/booking.BookingService/", "/event.EventService/"
ADAS, NOBODYS = "9c1e2ab4-3c5f-4a5c-8d0b-6f0d3a1e7b42", "00000000-0000-4000-8000-000000000000"
CALLERS = {
    "somebody without a token": Caller(),
    "ada, a customer": Caller("ada", frozenset({Role.CUSTOMER})),
    "eve, a customer": Caller("eve", frozenset({Role.CUSTOMER})),
    "olga, an organiser and a customer": Caller("olga", frozenset({Role.CUSTOMER, Role.ORGANISER})),
    "otto, an organiser and nothing else": Caller("otto", frozenset({Role.ORGANISER})),
    "an admin": Caller("root", frozenset({Role.ADMIN})),
    "booking-service itself": Caller("booking-service", frozenset({Role.SERVICE})),
    "api-gateway itself": Caller("api-gateway", frozenset({Role.SERVICE})),
    "a customer who is called booking-service": Caller("booking-service", frozenset({Role.CUSTOMER})),
    "ada, whose token gives her no role": Caller("ada"),
}
OPEN = ("GetEvent", "ListEvents", "WatchAvailability")
CHANGES = ("CreateEvent", "UpdateEvent", "DeleteEvent", "UpdateAvailableTickets")
BY_ID = ("GetBooking", "CancelBooking")
TICKETS = ("ReserveTickets", "ReleaseTickets")
UNKNOWN = (
    f"{BOOKING}ExportBookings",
    f"{BOOKING}GetBookings",
    f"{BOOKING}getbooking",
    f"{EVENT}DeleteEvents",
    "/shadow.EventService/GetEvent",
    "GetEvent",
    "",
)


def calls() -> Iterator[tuple[str, Any]]:
    for user in ("ada", "eve", ""):
        yield f"{BOOKING}CreateBooking", pb.CreateBookingRequest(user_id=user, event_id="jazz", ticket_count=2)
        yield f"{BOOKING}ListUserBookings", pb.ListUserBookingsRequest(user_id=user)
    for booking_id in (ADAS, NOBODYS, ""):
        yield f"{BOOKING}GetBooking", pb.GetBookingRequest(booking_id=booking_id)
        yield f"{BOOKING}CancelBooking", pb.CancelBookingRequest(booking_id=booking_id)
    yield f"{EVENT}ReserveTickets", event_pb2.ReserveTicketsRequest(booking_id=ADAS, event_id="jazz", ticket_count=2)
    for name in (*OPEN, *CHANGES, "ReleaseTickets"):
        yield f"{EVENT}{name}", event_pb2.GetEventRequest()
    for method in UNKNOWN:
        yield method, pb.GetBookingRequest(booking_id=ADAS)


def right_refusal(caller: Caller, method: str, request: Any) -> type[Exception] | None:
    """The table of the system: the refusal, or None."""
    if method in UNKNOWN:
        return NotAllowed
    name = method.rpartition("/")[2]
    if name in OPEN:
        return None
    if not caller.known:
        return NotAuthenticated
    return None if caller.has(Role.ADMIN) else _of_the_known(caller, name, request)


def _of_the_known(caller: Caller, name: str, request: Any) -> type[Exception] | None:
    if name in BY_ID and caller.has(Role.CUSTOMER):
        return None if (caller.id, request.booking_id) == ("ada", ADAS) else BookingNotFound
    if name in CHANGES:
        allowed = caller.has(Role.ORGANISER)
    elif name in TICKETS:
        allowed = caller.is_service("booking-service")
    else:
        allowed = caller.has(Role.CUSTOMER) and request.user_id == caller.id
    return None if allowed else NotAllowed
