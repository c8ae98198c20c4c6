"""What the tests of the pool ask of it."""

import contextlib
import time
from typing import Any

import psycopg
import pytest
from chassis.postgres import Database, DatabaseUnavailable

INSERT = "INSERT INTO bookings (id, user_id, event_id, ticket_count) VALUES (gen_random_uuid(), 'ada', 'concert', 1)"


async def value(database: Database, query: str = "SELECT 1") -> Any:
    async with database.connection() as connection:
        row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row[0]


async def works(database: Database) -> bool:
    with contextlib.suppress(DatabaseUnavailable):
        return bool(await value(database) == 1)
    return False


async def whole(database: Database) -> bool:
    stats = database._pool.get_stats()
    return stats["pool_size"] == stats["pool_available"] == 2


def bookings(sql: psycopg.Connection) -> int:
    row = sql.execute("SELECT count(*) FROM bookings").fetchone()
    assert row is not None
    return int(row[0])


async def refused(database: Database, query: str = "SELECT 1") -> float:
    """Seconds until the database is said to be unavailable."""
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await value(database, query)
    return time.monotonic() - began
