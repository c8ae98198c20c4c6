"""Who sells in bench/sale.py: ours, and the two that people write first."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from booking_service.domain import Booking, NewBooking, Status
from booking_service.inventory import TicketsRefused
from booking_service.postgres import PostgresBookings
from booking_service.service import BookingUseCases
from chassis.errors import FailedPrecondition
from chassis.postgres import Database
from event_service.domain import Wish
from event_service.postgres import PostgresEvents

from bench.selling import Sell
from bench.tables import booking_settings, event_settings, tickets_of

PENDING = "INSERT INTO bookings (id, user_id, event_id, ticket_count) VALUES (%s, 'buyer', %s, %s)"
FINISH = "UPDATE bookings SET status = %s WHERE id = %s"
SEEN = "SELECT available, version FROM events WHERE id = %s"
SWAP = "UPDATE events SET available = %s, version = version + 1 WHERE id = %s AND version = %s RETURNING id"
_TRIES = 5


class SameProcess:
    """Phase 1's port `TicketInventory`, without gRPC: the event service's repository in the same process."""

    def __init__(self, events: PostgresEvents) -> None:
        self._events = events

    async def reserve(self, booking: Booking) -> None:
        try:
            await self._events.reserve(Wish(booking.id, uuid.UUID(booking.event_id), booking.ticket_count))
        except FailedPrecondition as refusal:
            raise TicketsRefused(str(refusal)) from refusal

    async def release(self, booking: Booking) -> None:
        await self._events.release(booking.id)


@asynccontextmanager
async def ours(address: str, event: str) -> AsyncIterator[Sell]:
    async with _databases(address) as (bookings, events):
        use_cases = BookingUseCases(PostgresBookings(bookings), SameProcess(PostgresEvents(events)))

        async def sell(buyer: int) -> bool:
            try:
                booking = await use_cases.create(NewBooking(f"buyer-{buyer}", event, tickets_of(buyer), "key"))
            except TicketsRefused:
                return False
            return booking.status is Status.CONFIRMED

        yield sell


@asynccontextmanager
async def check_then_act(address: str, event: str) -> AsyncIterator[Sell]:
    async with _databases(address) as (bookings, events):

        async def sell(buyer: int) -> bool:
            booking, count = uuid.uuid4(), tickets_of(buyer)
            await execute(bookings, PENDING, booking, event, count)
            ((available, _),) = await execute(events, SEEN, event)
            enough = bool(available >= count)
            if enough:
                await execute(events, "UPDATE events SET available = %s WHERE id = %s", available - count, event)
            await execute(bookings, FINISH, "CONFIRMED" if enough else "CANCELLED", booking)
            return enough

        yield sell


@asynccontextmanager
async def compare_and_swap(address: str, event: str) -> AsyncIterator[Sell]:
    async with _databases(address) as (bookings, events):

        async def sell(buyer: int) -> bool:
            booking, count = uuid.uuid4(), tickets_of(buyer)
            await execute(bookings, PENDING, booking, event, count)
            took = await take(count)
            await execute(bookings, FINISH, "CONFIRMED" if took else "CANCELLED", booking)
            return took

        async def take(count: int) -> bool:
            for _ in range(_TRIES):
                ((left, version),) = await execute(events, SEEN, event)
                if left < count:
                    return False
                if await execute(events, SWAP, left - count, event, version):
                    return True
            return False

        yield sell


@asynccontextmanager
async def _databases(address: str) -> AsyncIterator[tuple[Database, Database]]:
    async with AsyncExitStack() as stack:
        bookings = await stack.enter_async_context(Database(booking_settings(address)))
        yield bookings, await stack.enter_async_context(Database(event_settings(address)))


async def execute(database: Database, statement: str, *values: object) -> list[Any]:
    async with database.connection() as connection:
        cursor = await connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else []
