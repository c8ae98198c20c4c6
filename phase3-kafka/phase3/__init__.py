"""The system as of phase 3: a message for every booking, counted by the metrics consumer."""

from booking_outbox.app import MIGRATIONS as BOOKING_MIGRATIONS
from booking_outbox.app import relay_alone
from booking_outbox.app import serve as serve_bookings
from booking_outbox.config import OutboxSettings
from chassis.service import Service, Step
from event_service.app import MIGRATIONS as EVENT_MIGRATIONS
from event_service.app import serve as serve_events
from event_service.config import EventSettings
from messaging.topics import make_topics
from metrics_consumer.app import MIGRATIONS as METRICS_MIGRATIONS
from metrics_consumer.app import serve as serve_metrics
from metrics_consumer.config import MetricsSettings
from metrics_consumer.redrive import redrive

SERVICES = (
    Service("event-service", EventSettings, serve_events, (EVENT_MIGRATIONS,)),
    Service("booking-service", OutboxSettings, serve_bookings, BOOKING_MIGRATIONS),
    Service("metrics-consumer", MetricsSettings, serve_metrics, (METRICS_MIGRATIONS,)),
)


async def _topics(settings: MetricsSettings) -> None:
    make_topics(settings)


async def _redrive(settings: MetricsSettings) -> None:
    await redrive(settings)


STEPS = (
    Step("topics", "make the topics that are not there yet", MetricsSettings, _topics),
    Step("relay", "only take messages from the outbox to Kafka, until SIGTERM or Ctrl-C", OutboxSettings, relay_alone),
    Step("redrive", "put dead letters back where they came from", MetricsSettings, _redrive),
)
