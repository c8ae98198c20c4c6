"""The booking service as of phase 2: phase 1's, with the event service plugged in and recovery running beside it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from booking_service.app import MIGRATIONS as PHASE_1
from booking_service.app import BookingApp, booking_app
from booking_service.postgres import AlsoWritten
from chassis.channel import open_channel
from chassis.plugs import NOTHING, Plugs
from chassis.postgres import Database

from booking_saga.config import SagaSettings
from booking_saga.inventory import SERVICE_CONFIG, EventServiceInventory
from booking_saga.recovery import Recovery

MIGRATIONS = (PHASE_1, Path(__file__).parent / "migrations")


@asynccontextmanager
async def saga_app(
    settings: SagaSettings, *, also_written: AlsoWritten | None = None, plugs: Plugs = NOTHING
) -> AsyncIterator[BookingApp]:
    """The running service; the plugs are described at booking_service/postgres.py and chassis/plugs.py."""
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(
            open_channel(
                settings.event_address,
                deadline_limit=settings.event_deadline,
                service_config=SERVICE_CONFIG,
                interceptors=plugs.calling,
            )
        )
        inventory = EventServiceInventory(channel)
        app = await stack.enter_async_context(
            booking_app(settings, inventory=inventory, also_written=also_written, also_ready=migrated, plugs=plugs)
        )
        recovery = Recovery(
            app.database,
            app.use_cases,
            inventory,
            pending_limit=settings.pending_limit,
            interval=settings.recovery_interval,
        )
        await stack.enter_async_context(recovery)
        yield app


async def migrated(database: Database) -> None:
    """Raises unless recovery's columns can be read: phase 1's table alone is not enough."""
    async with database.connection() as connection:
        await connection.execute("SELECT settle_at, given_back FROM bookings LIMIT 0")


async def serve(settings: SagaSettings) -> None:
    async with saga_app(settings) as app:
        await app.server.until_stopped()
