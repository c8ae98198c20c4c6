"""Who may do what with events: all see them, organisers change them, booking-service takes and gives back tickets."""

from collections.abc import Mapping
from typing import Any

from access.callers import BOOKING_SERVICE, Caller, Role
from access.control import Rule, must_have, roles

OPEN = frozenset(
    f"/event.EventService/{method}"
    for method in ("GetEvent", "ListEvents", "WatchAvailability")  # everybody may see what is on
)

_CHANGES = ("CreateEvent", "UpdateEvent", "DeleteEvent", "UpdateAvailableTickets")
_TICKETS = ("ReserveTickets", "ReleaseTickets")  # for a booking: a customer would take tickets without one


async def for_bookings(caller: Caller, request: Any) -> None:
    """The booking service, not any other one; and an admin, who puts right what nothing else does."""
    del request
    if not caller.is_service(BOOKING_SERVICE):
        must_have(caller, Role.ADMIN)


RULES: Mapping[str, Rule] = {
    **{f"/event.EventService/{method}": roles(Role.ORGANISER, Role.ADMIN) for method in _CHANGES},
    **dict.fromkeys((f"/event.EventService/{method}" for method in _TICKETS), for_bookings),
}
