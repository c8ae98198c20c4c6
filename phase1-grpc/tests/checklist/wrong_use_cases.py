"""Use cases with one mistake each, over the right ones."""

import asyncio
import uuid

from booking_service.domain import Booking, NewBooking, Status
from booking_service.inventory import TicketInventory
from booking_service.repository import BookingRepository
from booking_service.service import BookingUseCases
from chassis.errors import FailedPrecondition


class BooksOneAtATime(BookingUseCases):
    """Slow and in a row, so that callers who leave are still waiting."""

    def __init__(self, bookings: BookingRepository, inventory: TicketInventory) -> None:
        super().__init__(bookings, inventory)
        self._lock = asyncio.Lock()

    async def create(self, wish: NewBooking) -> Booking:
        async with self._lock:
            await asyncio.sleep(0.05)
            return await super().create(wish)


class AcceptsUsedKeys(BookingUseCases):
    async def create(self, wish: NewBooking) -> Booking:
        return await self.complete(await self._bookings.claim(wish))


class CancelsOnce(BookingUseCases):
    async def cancel(self, booking_id: uuid.UUID, reason: str = "") -> Booking:
        if (await self.get(booking_id)).status is Status.CANCELLED:
            raise FailedPrecondition("it is cancelled already")
        return await super().cancel(booking_id, reason)


class CancelsOneAtATime(BookingUseCases):
    """Refuses to cancel what is just being cancelled."""

    def __init__(self, bookings: BookingRepository, inventory: TicketInventory) -> None:
        super().__init__(bookings, inventory)
        self._busy: set[uuid.UUID] = set()

    async def cancel(self, booking_id: uuid.UUID, reason: str = "") -> Booking:
        if booking_id in self._busy:
            raise FailedPrecondition("it is being cancelled")
        self._busy.add(booking_id)
        try:
            await asyncio.sleep(0.2)
            return await super().cancel(booking_id, reason)
        finally:
            self._busy.remove(booking_id)


class CancelsNothing(BookingUseCases):
    async def cancel(self, booking_id: uuid.UUID, reason: str = "") -> Booking:
        return await self.get(booking_id)


class CancelsAllOfTheUser(BookingUseCases):
    async def cancel(self, booking_id: uuid.UUID, reason: str = "") -> Booking:
        for booking in await self.of_user((await self.get(booking_id)).user_id, 50):
            await super().cancel(booking.id, reason)
        return await self.get(booking_id)
