"""The system as of phase 4: phase 3's, and it tells what it does: metrics, traces, and logs that name their trace."""

from booking_outbox.app import MIGRATIONS as BOOKING_MIGRATIONS
from chassis.service import Service, Step
from event_service.app import MIGRATIONS as EVENT_MIGRATIONS
from metrics_consumer.app import MIGRATIONS as METRICS_MIGRATIONS
from phase3 import STEPS as STEPS_BEFORE
from telemetry.app import relay_alone, serve_bookings, serve_events, serve_metrics
from telemetry.config import ObservedBookingSettings, ObservedEventSettings, ObservedMetricsSettings

SERVICES = (
    Service("event-service", ObservedEventSettings, serve_events, (EVENT_MIGRATIONS,)),
    Service("booking-service", ObservedBookingSettings, serve_bookings, BOOKING_MIGRATIONS),
    Service("metrics-consumer", ObservedMetricsSettings, serve_metrics, (METRICS_MIGRATIONS,)),
)

_RELAY = "relay"

STEPS = tuple(
    Step(step.name, step.about, ObservedBookingSettings, relay_alone) if step.name == _RELAY else step
    for step in STEPS_BEFORE
)
