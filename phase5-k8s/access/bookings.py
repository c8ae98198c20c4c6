"""Who may do what with bookings: customers with their own, admins with all."""

import uuid
from collections.abc import Mapping
from typing import Any

from booking_service.domain import BookingNotFound
from booking_service.proto import booking_pb2 as pb
from chassis.postgres import Database

from access.callers import Caller, NotAllowed, Role
from access.control import Rule, must_have

OWNER = "SELECT user_id FROM bookings WHERE id = %s"


def booking_rules(database: Database) -> Mapping[str, Rule]:
    """The table; `database` is the booking service's own, where a booking's owner is looked up.

    The user of a request must be the caller. An idempotency key belongs to the user of its request, so it is never
    looked up for somebody else. A booking that is another's is, to the caller, not there.
    """
    mine = OwnBookings(database)
    return {
        "/booking.BookingService/CreateBooking": for_oneself,
        "/booking.BookingService/ListUserBookings": for_oneself,
        "/booking.BookingService/GetBooking": mine.rule,
        "/booking.BookingService/CancelBooking": mine.rule,
    }


async def for_oneself(caller: Caller, request: pb.CreateBookingRequest | pb.ListUserBookingsRequest | None) -> None:
    """The request's user is the caller, or the caller an admin."""
    must_have(caller, Role.CUSTOMER, Role.ADMIN)
    if request is not None and request.user_id != caller.id and not caller.has(Role.ADMIN):
        raise NotAllowed("user_id must be your own")


class OwnBookings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def rule(self, caller: Caller, request: Any) -> None:
        """The booking is the caller's, or the caller an admin; else it is refused as one that does not exist."""
        must_have(caller, Role.CUSTOMER, Role.ADMIN)
        booking_id = _id_in(request)
        if caller.has(Role.ADMIN) or booking_id is None:  # what can be no id is refused further in
            return
        if await self._owner(booking_id) != caller.id:
            raise BookingNotFound(booking_id)

    async def _owner(self, booking_id: uuid.UUID) -> str | None:
        async with self._database.connection() as connection:
            row = await (await connection.execute(OWNER, [booking_id])).fetchone()
        return row[0] if row else None


def _id_in(request: pb.GetBookingRequest | pb.CancelBookingRequest | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.booking_id) if request is not None else None
    except ValueError:
        return None
