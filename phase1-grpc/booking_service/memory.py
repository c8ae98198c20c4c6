"""Bookings in memory: the repository that unit tests and lessons use. It keeps every promise but one: nothing lasts."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chassis.paging import Position

from booking_service.domain import MOVES, Booking, BookingNotFound, NewBooking, Status

Clock = Callable[[], datetime]


class InMemoryBookings:
    """A `BookingRepository` over a dict. No method waits for anything, so each is one step, as a statement would be."""

    def __init__(self, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._bookings: dict[uuid.UUID, Booking] = {}
        self._latest = datetime.min.replace(tzinfo=UTC)

    async def claim(self, wish: NewBooking) -> Booking:
        return self._holder(wish) or self._store(self._made(wish))

    async def get(self, booking_id: uuid.UUID) -> Booking:
        try:
            return self._bookings[booking_id]
        except KeyError:
            raise BookingNotFound(booking_id) from None

    async def move(
        self, booking_id: uuid.UUID, target: Status, reason: str = "", *, only_from: Status | None = None
    ) -> Booking:
        booking = await self.get(booking_id)
        if target not in MOVES[booking.status] or only_from not in {None, booking.status}:
            return booking
        return self._store(replace(booking, status=target, reason=reason, updated_at=self._now()))

    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        found = [booking for booking in self._bookings.values() if booking.user_id == user_id]
        if after is not None:
            found = [booking for booking in found if _place(booking) < (after.at, after.id)]
        return sorted(found, key=_place, reverse=True)[:limit]

    def _holder(self, wish: NewBooking) -> Booking | None:
        if wish.key is None:
            return None
        return next((b for b in self._bookings.values() if (b.user_id, b.key) == (wish.user_id, wish.key)), None)

    def _made(self, wish: NewBooking) -> Booking:
        now = self._now()
        return Booking(
            uuid.uuid4(), wish.user_id, wish.event_id, wish.ticket_count, Status.PENDING, "", wish.key, now, now
        )

    def _store(self, booking: Booking) -> Booking:
        self._bookings[booking.id] = booking
        return booking

    def _now(self) -> datetime:
        # Two calls within a microsecond must not tie: a test that books twice expects the second one first.
        self._latest = max(self._clock(), self._latest + timedelta(microseconds=1))
        return self._latest


def _place(booking: Booking) -> tuple[datetime, uuid.UUID]:
    """Where the booking stands in its user's list, oldest first."""
    return booking.created_at, booking.id
