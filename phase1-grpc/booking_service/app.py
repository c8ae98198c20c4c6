"""The booking service put together, top to bottom. Later phases call `booking_app` with other adapters."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from chassis.plugs import NOTHING, Plugs
from chassis.postgres import Database
from chassis.server import GrpcServer

from booking_service.config import BookingSettings
from booking_service.handler import BookingHandler
from booking_service.inventory import EveryEventHasTickets, TicketInventory
from booking_service.postgres import AlsoWritten, PostgresBookings
from booking_service.proto import booking_pb2, booking_pb2_grpc
from booking_service.service import BookingUseCases

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = booking_pb2.DESCRIPTOR.services_by_name["BookingService"].full_name

AlsoReady: TypeAlias = Callable[[Database], Awaitable[object]]
"""Raises while what a later phase adds cannot work; it is asked with the service's own `ready`."""


@dataclass(frozen=True, slots=True)
class BookingApp:
    """The running service, and what a later phase needs to run something beside it."""

    server: GrpcServer
    use_cases: BookingUseCases
    database: Database


@asynccontextmanager
async def booking_app(
    settings: BookingSettings,
    *,
    inventory: TicketInventory | None = None,
    also_written: AlsoWritten | None = None,
    also_ready: AlsoReady | None = None,
    plugs: Plugs = NOTHING,
) -> AsyncIterator[BookingApp]:
    """The running service. Each plug is described at its port: inventory.py, postgres.py, above, chassis/plugs.py."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(plugs.database or Database(settings))
        bookings = PostgresBookings(database, also_written)
        use_cases = BookingUseCases(bookings, inventory or EveryEventHasTickets())
        server = GrpcServer(settings, SERVICE, outside=plugs.outside, inside=plugs.inside)
        booking_pb2_grpc.add_BookingServiceServicer_to_server(BookingHandler(use_cases), server.grpc)

        async def ready() -> None:
            await bookings.ready()
            if also_ready is not None:
                await also_ready(database)

        await stack.enter_async_context(server.running(ready))
        yield BookingApp(server, use_cases, database)


async def serve(settings: BookingSettings) -> None:
    async with booking_app(settings) as app:
        await app.server.until_stopped()
