"""Who may do what with events: all see them, organisers change them, booking-service takes and gives back tickets."""

from collections.abc import Mapping

from access.callers import Role
from access.control import Rule, roles

OPEN = frozenset(
    f"/event.EventService/{method}"
    for method in ("GetEvent", "ListEvents", "WatchAvailability")  # everybody may see what is on
)

_CHANGES = ("CreateEvent", "UpdateEvent", "DeleteEvent", "UpdateAvailableTickets")
_TICKETS = ("ReserveTickets", "ReleaseTickets")  # for a booking: a customer would take tickets without one

RULES: Mapping[str, Rule] = {
    **{f"/event.EventService/{method}": roles(Role.ORGANISER, Role.ADMIN) for method in _CHANGES},
    **{f"/event.EventService/{method}": roles(Role.SERVICE, Role.ADMIN) for method in _TICKETS},
}
