"""The system as of phase 2: the event service counts the tickets, the booking service asks it."""

from booking_saga.app import MIGRATIONS as BOOKING_MIGRATIONS
from booking_saga.app import serve as serve_bookings
from booking_saga.config import SagaSettings
from chassis.service import Service
from event_service.app import MIGRATIONS as EVENT_MIGRATIONS
from event_service.app import serve as serve_events
from event_service.config import EventSettings

SERVICES = (
    Service("event-service", EventSettings, serve_events, (EVENT_MIGRATIONS,)),
    Service("booking-service", SagaSettings, serve_bookings, BOOKING_MIGRATIONS),
)
