"""The use cases of the booking service, as sentences."""

import uuid

from chassis.paging import Position

from booking_service.domain import Booking, NewBooking, Status
from booking_service.inventory import TicketInventory, TicketsRefused
from booking_service.repository import BookingRepository


class BookingUseCases:
    """Create, get, list, cancel; storage and tickets come through ports."""

    def __init__(self, bookings: BookingRepository, inventory: TicketInventory) -> None:
        self._bookings = bookings
        self._inventory = inventory

    async def create(self, wish: NewBooking) -> Booking:
        """The booking made for this wish, now or by an earlier call with the same key.

        Raises KeyReused when the key stands for another wish, TicketsRefused when the tickets cannot be had.
        """
        booking = await self._bookings.claim(wish)
        return await self.complete(booking.answers(wish))

    async def complete(self, booking: Booking) -> Booking:
        """Takes a PENDING booking to its end: tickets first, then CONFIRMED. Safe to call again at any point."""
        if booking.status is not Status.PENDING:
            return booking
        try:
            await self._inventory.reserve(booking)
        except TicketsRefused as refusal:
            # Only what is still PENDING: another try of this booking may have got the tickets, and said so.
            left = await self._bookings.move(booking.id, Status.CANCELLED, refusal.reason, only_from=Status.PENDING)
            if left.status is Status.CONFIRMED:
                return left
            raise
        return await self._bookings.move(booking.id, Status.CONFIRMED)

    async def get(self, booking_id: uuid.UUID) -> Booking:
        """Raises BookingNotFound."""
        return await self._bookings.get(booking_id)

    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        return await self._bookings.of_user(user_id, limit, after)

    async def abandon(self, booking_id: uuid.UUID, reason: str) -> Booking:
        """Cancels the booking only if it is still PENDING: nobody has told its user that it is made."""
        booking = await self._bookings.move(booking_id, Status.CANCELLED, reason, only_from=Status.PENDING)
        if booking.status is Status.CANCELLED:
            await self._inventory.release(booking)
        return booking

    async def cancel(self, booking_id: uuid.UUID, reason: str = "") -> Booking:
        """The cancelled booking, whoever cancelled it first; raises BookingNotFound.

        The status goes first: from then on no confirmation can succeed, and the tickets can safely be given back.
        """
        booking = await self._bookings.move(booking_id, Status.CANCELLED, reason)
        await self._inventory.release(booking)
        return booking
