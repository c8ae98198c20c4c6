"""What the booking service needs to know from phase 2 on: where the event service is, and how patient to be with it."""

from booking_service.config import BookingSettings
from chassis.settings import Limit


class SagaSettings(BookingSettings):
    event_address: str = "127.0.0.1:50052"
    event_deadline: Limit = 2
    pending_limit: Limit = 30
    recovery_interval: Limit = 1
