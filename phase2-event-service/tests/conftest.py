"""What the tests of phase 2 share: an event database on the session's PostgreSQL."""

from collections.abc import Iterator

import psycopg
import pytest
from chassis.migrations import create_database, migrate
from event_service.app import MIGRATIONS
from event_service.config import EventSettings

from workbook.part import Part
from workbook.postgres import PASSWORD, USER, connect


@pytest.fixture(scope="session")
def migrated_events(postgres: Part) -> EventSettings:
    """An event database with the newest tables, made once: use `event_settings`, which empties it."""
    host, port = postgres.address.split(":")
    settings = EventSettings(
        db_host=host,
        db_port=int(port),
        db_user=USER,
        db_password=PASSWORD,  # type: ignore[arg-type]  # pydantic makes it a secret
        db_pool_size=8,
        grpc_port=0,
        watch_interval=0.02,
    )
    create_database(settings)
    migrate(settings, [MIGRATIONS])
    return settings


@pytest.fixture
def event_settings(migrated_events: EventSettings, postgres: Part) -> EventSettings:
    """The settings of an event service without events, on a free port."""
    with connect(postgres.address, migrated_events.db_name) as connection:
        connection.execute("TRUNCATE events, reservations, capacity_changes")
    return migrated_events.model_copy()


@pytest.fixture
def event_sql(event_settings: EventSettings, postgres: Part) -> Iterator[psycopg.Connection]:
    """A connection of the test's own to the event database, in autocommit."""
    with connect(postgres.address, event_settings.db_name) as connection:
        yield connection
