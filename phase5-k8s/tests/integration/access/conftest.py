from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from booking_outbox.app import MIGRATIONS as BOOKING_MIGRATIONS
from chassis.migrations import create_database, migrate
from event_service.app import MIGRATIONS as EVENT_MIGRATIONS
from phase5.config import GuardedBookingSettings, GuardedEventSettings
from tests.guarded import System, guarded_system
from user_service.config import UserSettings

from workbook.part import Part
from workbook.postgres import PASSWORD, USER, connect

BOOKINGS, EVENTS = "guarded_bookings", "guarded_events"


@pytest.fixture(scope="session")
def migrated_system(postgres: Part, keys_folder: Path) -> tuple[GuardedEventSettings, GuardedBookingSettings]:
    """Both with the newest tables, made once: use `system`, which empties them."""
    host, port = postgres.address.split(":")
    where: Mapping[str, object] = {
        "db_host": host,
        "db_port": int(port),
        "db_user": USER,
        "db_password": PASSWORD,
        "db_pool_size": 4,
        "grpc_port": 0,
        "metrics_port": 0,
        "keys_folder": keys_folder,
        "keys_pause": 0.01,
    }
    events = GuardedEventSettings.model_validate({**where, "db_name": EVENTS})
    bookings = GuardedBookingSettings.model_validate(
        {**where, "db_name": BOOKINGS, "outbox_relay": False, "recovery_interval": 0.05}
    )
    for settings, migrations in ((events, [EVENT_MIGRATIONS]), (bookings, BOOKING_MIGRATIONS)):
        create_database(settings)
        migrate(settings, migrations)
    return events, bookings


@pytest.fixture
async def system(
    migrated_system: tuple[GuardedEventSettings, GuardedBookingSettings],
    user_settings: UserSettings,
    bookings_sql: psycopg.Connection,
    events_sql: psycopg.Connection,
) -> AsyncIterator[System]:
    """Users, events and bookings, all empty. Nobody takes the outbox to Kafka."""
    bookings_sql.execute("TRUNCATE bookings, outbox")
    events_sql.execute("TRUNCATE events, reservations, capacity_changes")
    events, bookings = migrated_system
    async with guarded_system(user_settings, events, bookings) as system:
        yield system


@pytest.fixture
def bookings_sql(migrated_system: object, postgres: Part) -> Iterator[psycopg.Connection]:
    del migrated_system
    with connect(postgres.address, BOOKINGS) as connection:
        yield connection


@pytest.fixture
def events_sql(migrated_system: object, postgres: Part) -> Iterator[psycopg.Connection]:
    del migrated_system
    with connect(postgres.address, EVENTS) as connection:
        yield connection
