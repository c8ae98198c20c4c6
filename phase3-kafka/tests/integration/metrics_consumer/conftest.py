"""Counts over a real database, and messages to count."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from chassis.postgres import Database
from messaging.publisher import Publisher
from metrics_consumer.config import MetricsSettings
from metrics_consumer.consuming import Around, Consuming, Counts, nothing_around
from metrics_consumer.dead_letters import DeadLetters
from metrics_consumer.postgres import PostgresCounts
from metrics_consumer.subscription import Subscription
from tests.consumers import Consume, never


@pytest.fixture
async def counts(metrics_settings: MetricsSettings) -> AsyncIterator[PostgresCounts]:
    async with Database(metrics_settings) as database:
        yield PostgresCounts(database)


@pytest.fixture
def dead_letters(metrics_settings: MetricsSettings) -> DeadLetters:
    return DeadLetters(Publisher(metrics_settings, "dead letters"), metrics_settings.dead_letter_topic)


@pytest.fixture
def consuming(metrics_settings: MetricsSettings, counts: PostgresCounts, dead_letters: DeadLetters) -> Consume:
    """Starts a consumer in a group; `counts` may be others than those of the database."""

    @asynccontextmanager
    async def start(counted_by: Counts = counts, around: Around = nothing_around) -> AsyncIterator[Consuming]:
        def subscribe() -> Subscription:
            return Subscription(metrics_settings, metrics_settings.bookings_topic, metrics_settings.consumer_group)

        async with Consuming(subscribe, counted_by, dead_letters, batch=100, around=around) as consuming:
            yield consuming

    return start


@pytest.fixture
def handler(counts: PostgresCounts, dead_letters: DeadLetters) -> Consuming:
    """Handles messages, and is never started."""
    return Consuming(never, counts, dead_letters, batch=100)
