"""The system as of phase 5: phase 4's, with users, and a gateway before it."""

from access.config import AccessSettings
from access.keys import make_keys
from api_gateway.app import serve as serve_gateway
from api_gateway.config import GatewaySettings
from api_gateway.server import new_event_loop
from booking_outbox.app import MIGRATIONS as BOOKING_MIGRATIONS
from chassis.service import Service, Step
from chassis.settings import ServiceSettings
from event_service.app import MIGRATIONS as EVENT_MIGRATIONS
from phase4 import SERVICES as SERVICES_BEFORE
from phase4 import STEPS as STEPS_BEFORE
from user_service.admin import AdminSettings, make_admin
from user_service.app import MIGRATIONS as USER_MIGRATIONS

from phase5.app import serve_bookings, serve_events, serve_users
from phase5.config import GuardedBookingSettings, GuardedEventSettings, ObservedUserSettings

_GUARDED = (
    Service("user-service", ObservedUserSettings, serve_users, (USER_MIGRATIONS,)),
    Service("event-service", GuardedEventSettings, serve_events, (EVENT_MIGRATIONS,)),
    Service("booking-service", GuardedBookingSettings, serve_bookings, BOOKING_MIGRATIONS),
)

SERVICES = (
    *_GUARDED,
    *(service for service in SERVICES_BEFORE if service.name == "metrics-consumer"),
    Service(
        "api-gateway",
        GatewaySettings,
        serve_gateway,
        port="http_port",
        health="http://{address}/readyz",
        loop=new_event_loop,
    ),
)

HOLDERS = ("user-service", "booking-service", "api-gateway")
"""Who has a key: who signs tokens, for users or for themselves."""


class KeySettings(ServiceSettings, AccessSettings):
    pass


async def _keys(settings: KeySettings) -> None:
    make_keys(settings.keys_folder, HOLDERS)


STEPS = (
    *STEPS_BEFORE,
    Step("keys", "make the keys that are not there yet, in KEYS_FOLDER", KeySettings, _keys),
    Step(
        "make-admin",
        "make ADMIN_EMAIL an admin: a new user with ADMIN_PASSWORD, or one who has that password",
        AdminSettings,
        make_admin,
    ),
)
