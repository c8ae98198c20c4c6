"""The booking service as of phase 3: phase 2's, with the outbox plugged in and a relay running beside it."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from booking_saga.app import MIGRATIONS as PHASE_2
from booking_saga.app import saga_app
from booking_service.app import BookingApp
from chassis.plugs import NOTHING, Plugs
from chassis.postgres import Database
from chassis.server import until_told
from messaging.exposition import Figures, exposed
from messaging.publisher import Publisher

from booking_outbox.config import OutboxSettings
from booking_outbox.figures import OutboxFigures
from booking_outbox.outbox import Outbox
from booking_outbox.relay import Relay

MIGRATIONS = (*PHASE_2, Path(__file__).parent / "migrations")


@asynccontextmanager
async def outbox_app(
    settings: OutboxSettings,
    *,
    publisher: Publisher | None = None,
    traceparent: Callable[[uuid.UUID], str] = lambda _: "",
    also_shown: Sequence[Figures] = (),
    plugs: Plugs = NOTHING,
) -> AsyncIterator[BookingApp]:
    """The running service. With `outbox_relay` off it only writes: somebody else takes the messages to Kafka.

    `publisher` sends them instead of the service's own; `traceparent` is described at outbox.py, and `also_shown`
    stands beside this service's own figures for Prometheus.
    """
    async with AsyncExitStack() as stack:
        relay = Relay(settings, publisher or Publisher(settings, settings.service_name))
        if settings.outbox_relay:
            await stack.enter_async_context(relay)
        outbox = Outbox(relay.wake, traceparent)
        app = await stack.enter_async_context(saga_app(settings, also_written=outbox.also_written, plugs=plugs))
        await _expose(stack, settings, app.database, relay, also_shown)
        yield app


async def serve(settings: OutboxSettings) -> None:
    async with outbox_app(settings) as app:
        await app.server.until_stopped()


async def relay_alone(
    settings: OutboxSettings, *, publisher: Publisher | None = None, also_shown: Sequence[Figures] = ()
) -> None:
    """Only the relay, in a process of its own, until it is told to stop; the plugs are those of `outbox_app`."""
    async with AsyncExitStack() as stack:
        relay = Relay(settings, publisher or Publisher(settings, "outbox-relay"))
        await stack.enter_async_context(relay)
        await _expose(stack, settings, await stack.enter_async_context(Database(settings)), relay, also_shown)
        await until_told()


async def _expose(
    stack: AsyncExitStack, settings: OutboxSettings, database: Database, relay: Relay, also_shown: Sequence[Figures]
) -> None:
    figures = OutboxFigures(database, relay)
    sources = (figures.of_the_relay, figures.of_the_table, *also_shown)
    await stack.enter_async_context(exposed(settings.metrics_host, settings.metrics_port, *sources))
