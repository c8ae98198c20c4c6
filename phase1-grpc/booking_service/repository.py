"""What the use cases need from storage. PostgreSQL implements it in postgres.py, tests in memory."""

import uuid
from typing import Protocol

from chassis.paging import Position

from booking_service.domain import Booking, NewBooking, Status


class BookingRepository(Protocol):
    async def claim(self, wish: NewBooking) -> Booking:
        """Stores a PENDING booking for this wish, or returns the booking that already holds its key.

        However many claims with one key of one user run at once, they all return the same booking.
        """
        ...

    async def get(self, booking_id: uuid.UUID) -> Booking:
        """The booking; raises BookingNotFound."""
        ...

    async def move(
        self, booking_id: uuid.UUID, target: Status, reason: str = "", *, only_from: Status | None = None
    ) -> Booking:
        """Moves the booking to `target` if that is legal, and returns it as it is then; raises BookingNotFound.

        An illegal move changes nothing: the booking returned tells by its status whether the move was made. `only_from`
        narrows the legal moves to those from one status.
        """
        ...

    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        """At most `limit` bookings of a user, newest first, from behind `after`."""
        ...
