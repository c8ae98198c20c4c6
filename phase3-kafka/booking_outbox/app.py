"""The booking service as of phase 3: phase 2's, with the outbox plugged in and a relay running beside it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from booking_saga.app import MIGRATIONS as PHASE_2
from booking_saga.app import saga_app
from booking_service.app import BookingApp
from chassis.postgres import Database
from chassis.server import until_told
from messaging.exposition import exposed
from messaging.publisher import Publisher

from booking_outbox.config import OutboxSettings
from booking_outbox.figures import OutboxFigures
from booking_outbox.outbox import Outbox
from booking_outbox.relay import Relay

MIGRATIONS = (*PHASE_2, Path(__file__).parent / "migrations")


@asynccontextmanager
async def outbox_app(settings: OutboxSettings) -> AsyncIterator[BookingApp]:
    """The running service. With `outbox_relay` off it only writes: somebody else takes the messages to Kafka."""
    async with AsyncExitStack() as stack:
        relay = Relay(settings, Publisher(settings, settings.service_name))
        if settings.outbox_relay:
            await stack.enter_async_context(relay)
        outbox = Outbox(relay.wake)
        app = await stack.enter_async_context(saga_app(settings, also_written=outbox.also_written))
        await _expose(stack, settings, app.database, relay)
        yield app


async def serve(settings: OutboxSettings) -> None:
    async with outbox_app(settings) as app:
        await app.server.until_stopped()


async def relay_alone(settings: OutboxSettings) -> None:
    """Only the relay, in a process of its own, until it is told to stop."""
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(Relay(settings, Publisher(settings, "outbox-relay")))
        await _expose(stack, settings, await stack.enter_async_context(Database(settings)), relay)
        await until_told()


async def _expose(stack: AsyncExitStack, settings: OutboxSettings, database: Database, relay: Relay) -> None:
    figures = OutboxFigures(database, relay)
    sources = (figures.of_the_relay, figures.of_the_table)
    await stack.enter_async_context(exposed(settings.metrics_host, settings.metrics_port, *sources))
