"""Bookings that write into the outbox, and relays that empty it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from booking_outbox.config import OutboxSettings
from booking_outbox.outbox import Outbox
from booking_outbox.relay import Relay
from booking_service.postgres import PostgresBookings
from chassis.postgres import Database
from messaging.publisher import Publisher
from tests.outboxes import Relaying


@pytest.fixture
async def database(outbox_settings: OutboxSettings) -> AsyncIterator[Database]:
    async with Database(outbox_settings) as database:
        yield database


@pytest.fixture
def bookings(database: Database) -> PostgresBookings:
    """Nobody is woken: a relay finds what they write by looking."""
    return PostgresBookings(database, Outbox(lambda: None).also_written)


@pytest.fixture
def relaying(outbox_settings: OutboxSettings) -> Relaying:
    @asynccontextmanager
    async def relay() -> AsyncIterator[Relay]:
        async with Relay(outbox_settings, Publisher(outbox_settings, "relay")) as relay:
            yield relay

    return relay
