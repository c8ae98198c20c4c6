"""A small pool, and a PostgreSQL that tests may break."""

from collections.abc import AsyncIterator, Iterator

import pytest
from booking_service.config import BookingSettings
from chassis.postgres import Database
from tests.pools import whole

from tests.waiting import until_async
from workbook.part import Part, State


@pytest.fixture
def server(postgres: Part) -> Iterator[Part]:
    """PostgreSQL for tests that break it; it runs again after them."""
    yield postgres
    if postgres.state is State.PAUSED:
        postgres.resume()
    postgres.start()


@pytest.fixture
def settings(settings: BookingSettings) -> BookingSettings:
    """Two connections and short limits."""
    return settings.model_copy(update={"db_pool_size": 2, "db_statement_timeout": 0.5, "db_lock_timeout": 0.2})


@pytest.fixture
async def database(settings: BookingSettings) -> AsyncIterator[Database]:
    async with Database(settings) as database:
        await until_async(lambda: whole(database))
        yield database
