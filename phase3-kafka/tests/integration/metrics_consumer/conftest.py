"""Counts over a real database, and messages to count."""

from collections.abc import AsyncIterator

import pytest
from chassis.postgres import Database
from messaging.publisher import Publisher
from metrics_consumer.config import MetricsSettings
from metrics_consumer.dead_letters import DeadLetters
from metrics_consumer.postgres import PostgresCounts


@pytest.fixture
async def counts(metrics_settings: MetricsSettings) -> AsyncIterator[PostgresCounts]:
    async with Database(metrics_settings) as database:
        yield PostgresCounts(database)


@pytest.fixture
def dead_letters(metrics_settings: MetricsSettings) -> DeadLetters:
    return DeadLetters(Publisher(metrics_settings, "dead letters"), metrics_settings.dead_letter_topic)
