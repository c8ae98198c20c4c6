"""What the tests of phase 1 share: booking databases on the session's PostgreSQL."""

from collections.abc import Iterator

import psycopg
import pytest
from booking_service.app import MIGRATIONS
from booking_service.config import BookingSettings
from chassis.migrations import create_database, migrate

from workbook.part import Part
from workbook.postgres import PASSWORD, USER, connect


def booking_settings(postgres: Part, database: str) -> BookingSettings:
    host, port = postgres.address.split(":")
    return BookingSettings(
        db_host=host,
        db_port=int(port),
        db_user=USER,
        db_password=PASSWORD,  # type: ignore[arg-type]  # pydantic makes it a secret
        db_name=database,
        db_pool_size=4,
        grpc_port=0,
    )


@pytest.fixture(scope="session")
def migrated(postgres: Part) -> BookingSettings:
    """A database with the newest tables, made once: use `settings`, which empties it."""
    settings = booking_settings(postgres, "booking_db")
    create_database(settings)
    migrate(settings, [MIGRATIONS])
    return settings


@pytest.fixture
def settings(migrated: BookingSettings, postgres: Part) -> BookingSettings:
    """The settings of a booking service with no bookings yet, on a free port."""
    with connect(postgres.address, migrated.db_name) as connection:
        connection.execute("TRUNCATE bookings")
    return migrated.model_copy()


@pytest.fixture
def sql(settings: BookingSettings, postgres: Part) -> Iterator[psycopg.Connection]:
    """A connection of the test's own to the booking database, in autocommit."""
    with connect(postgres.address, settings.db_name) as connection:
        yield connection


@pytest.fixture
def not_there(postgres: Part) -> Iterator[BookingSettings]:
    """Settings that name a database which does not exist yet; it is dropped after the test."""
    settings = booking_settings(postgres, "not_there_yet")
    yield settings
    with connect(postgres.address) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {settings.db_name} WITH (FORCE)")
