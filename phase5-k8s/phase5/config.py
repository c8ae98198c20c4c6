"""What each service needs to know from phase 5 on."""

from access.config import AccessSettings
from chassis.settings import Port
from telemetry.config import ObservedBookingSettings, ObservedEventSettings, TelemetrySettings
from user_service.config import UserSettings


class GuardedBookingSettings(ObservedBookingSettings, AccessSettings):
    pass


class GuardedEventSettings(ObservedEventSettings, AccessSettings):
    pass


class ObservedUserSettings(UserSettings, TelemetrySettings):
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9467
