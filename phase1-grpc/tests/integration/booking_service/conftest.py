"""Bookings in the session's PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from booking_service.config import BookingSettings
from booking_service.postgres import PostgresBookings
from chassis.postgres import Database


@pytest.fixture
async def database(settings: BookingSettings) -> AsyncIterator[Database]:
    async with Database(settings.model_copy(update={"db_pool_size": 8})) as database:
        yield database


@pytest.fixture
def bookings(database: Database) -> PostgresBookings:
    return PostgresBookings(database)
