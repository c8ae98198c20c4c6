"""The metrics consumer put together, top to bottom. gRPC carries its health and reflection: it offers no calls."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from chassis.plugs import NOTHING, Plugs
from chassis.postgres import Database
from chassis.server import GrpcServer
from messaging.exposition import Figures, exposed
from messaging.publisher import Publisher

from metrics_consumer.config import MetricsSettings
from metrics_consumer.consuming import Around, Consuming, nothing_around
from metrics_consumer.dead_letters import DeadLetters
from metrics_consumer.figures import BookingFigures
from metrics_consumer.postgres import PostgresCounts
from metrics_consumer.subscription import Subscription

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = "metrics.MetricsConsumer"


@asynccontextmanager
async def metrics_app(
    settings: MetricsSettings,
    *,
    publisher: Publisher | None = None,
    around: Around = nothing_around,
    also_shown: Sequence[Figures] = (),
    plugs: Plugs = NOTHING,
) -> AsyncIterator[GrpcServer]:
    """The running consumer.

    `publisher` sends dead letters instead of the service's own; `around` is described at consuming.py, and `also_shown`
    stands beside this service's own figures for Prometheus.
    """
    async with AsyncExitStack() as stack:
        counts = PostgresCounts(await stack.enter_async_context(plugs.database or Database(settings)))
        dead_letters = DeadLetters(publisher or Publisher(settings, settings.service_name), settings.dead_letter_topic)

        def subscribe() -> Subscription:
            return Subscription(settings, settings.bookings_topic, settings.consumer_group)

        consuming = Consuming(subscribe, counts, dead_letters, batch=settings.consumer_batch, around=around)
        await stack.enter_async_context(consuming)
        figures = BookingFigures(counts, consuming, settings.popular_events)
        sources = (figures.of_bookings, figures.of_popular_events, figures.of_the_consumer, *also_shown)
        await stack.enter_async_context(exposed(settings.metrics_host, settings.metrics_port, *sources))

        async def ready() -> None:
            await consuming.ready()
            await counts.ready()

        server = GrpcServer(settings, SERVICE, outside=plugs.outside, inside=plugs.inside)
        yield await stack.enter_async_context(server.running(ready))


async def serve(settings: MetricsSettings) -> None:
    async with metrics_app(settings) as server:
        await server.until_stopped()
