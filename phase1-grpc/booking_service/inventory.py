"""The port to whoever counts tickets. Phase 1 has nothing to count yet; phase 2 plugs in the event service."""

from typing import ClassVar, Protocol

from chassis.errors import FailedPrecondition

from booking_service.domain import Booking


class TicketsRefused(FailedPrecondition):
    """The event's tickets cannot be had: no such event, sold out, sales closed. Trying again will not help."""

    reason: ClassVar[str] = "TICKETS_REFUSED"


class TicketInventory(Protocol):
    async def reserve(self, booking: Booking) -> None:
        """Sets the booking's tickets aside, once however often it is called; raises TicketsRefused."""
        ...

    async def release(self, booking: Booking) -> None:
        """Gives the booking's tickets back, once however often it is called, also when none were set aside."""
        ...


class EveryEventHasTickets:
    """Phase 1's inventory: there is no event service yet, so every event exists and never sells out."""

    async def reserve(self, booking: Booking) -> None:
        pass

    async def release(self, booking: Booking) -> None:
        pass
