from collections.abc import AsyncIterator

import pytest
from chassis.postgres import Database
from event_service.config import EventSettings
from event_service.postgres import PostgresEvents


@pytest.fixture
async def database(event_settings: EventSettings) -> AsyncIterator[Database]:
    async with Database(event_settings) as database:
        yield database


@pytest.fixture
def events(database: Database) -> PostgresEvents:
    return PostgresEvents(database)
