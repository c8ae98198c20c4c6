"""To say that an event is sold out costs a look and no write, and stays exact."""

from typing import Any

import psycopg
import pytest
from event_service import reservations
from event_service.domain import Event
from event_service.postgres import PostgresEvents
from tests.wishes import answers_to, made, told, wishes_of


@pytest.fixture
async def event(events: PostgresEvents) -> Event:
    return await made(events)


# Sold out


def written(sql: psycopg.Connection) -> tuple[Any, ...]:
    """What a write would change: the row's version and locks, the next transaction's id, the end of the log."""
    row = sql.execute("""
        SELECT xmin, xmax, ctid, pg_snapshot_xmax(pg_current_snapshot()), pg_current_wal_insert_lsn() FROM events
    """).fetchone()
    assert row is not None
    return row


async def refusals_write(events: PostgresEvents, event: Event, sql: psycopg.Connection) -> bool:
    """Whether each of five tries wrote something; PostgreSQL writes now and then by itself."""
    for _ in range(5):
        before = written(sql)
        assert told(await answers_to(events, wishes_of(event, *[1] * 50))) == ["SoldOut"] * 50
        if written(sql) == before:
            return False
    return True


async def test_to_say_sold_out_nothing_is_written(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection
) -> None:
    await events.reserve(*wishes_of(event, 10))
    assert not await refusals_write(events, event, event_sql)


async def test_a_lock_would_be_seen(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    await events.reserve(*wishes_of(event, 10))
    look = reservations.LOOK.replace("LEFT JOIN events ON", "JOIN events ON")
    monkeypatch.setattr(reservations, "LOOK", f"{look} FOR UPDATE OF events")
    assert await refusals_write(events, event, event_sql)


async def test_tickets_that_come_back_are_sold_at_once(events: PostgresEvents, event: Event) -> None:
    first, *more = wishes_of(event, 10, *[1] * 12)
    await events.reserve(first)
    assert told(await answers_to(events, more)) == ["SoldOut"] * 12
    await events.release(first.booking_id)
    assert told(await answers_to(events, more)) == [*range(9, -1, -1), *["SoldOut"] * 2]
