"""Wishes for tickets that come at once, and what the tests ask of whoever answers them."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from event_service.domain import Event, NewEvent, Wish
from event_service.postgres import PostgresEvents

from workbook.postgres import connect

SOON = datetime.now(UTC) + timedelta(days=30)


async def made(events: PostgresEvents, capacity: int = 10) -> Event:
    return await events.create(NewEvent("Jazz night", "concert", SOON, "UTC", "Babylon", capacity))


def wishes_of(event: Event, *counts: int) -> list[Wish]:
    return [Wish(uuid.uuid4(), event.id, count) for count in counts]


async def answers_to(events: PostgresEvents, wishes: Sequence[Wish]) -> list[Any]:
    """What each is told, come all at once, in this order: the first writes alone, the others share."""
    return await asyncio.gather(*map(events.reserve, wishes), return_exceptions=True)


def told(answers: Sequence[Any]) -> list[Any]:
    return [answer if isinstance(answer, int) else type(answer).__name__ for answer in answers]


def holders(sql: psycopg.Connection) -> set[uuid.UUID]:
    return {row[0] for row in sql.execute("SELECT booking_id FROM reservations WHERE released_at IS NULL")}


def balanced(sql: psycopg.Connection) -> bool:
    """Law I1: available + Σ reserved = capacity."""
    rows = sql.execute("""
        SELECT available + coalesce(sum(ticket_count), 0) = capacity
        FROM events LEFT JOIN reservations ON event_id = id AND released_at IS NULL GROUP BY id
    """)
    return all(balance for (balance,) in rows)


@contextmanager
def locked(event: Event, address: str, database: str) -> Iterator[psycopg.Connection]:
    """Another one is changing the event: the first wish waits for its row, the others for the first."""
    with connect(address, database) as connection, connection.transaction():
        connection.execute("SELECT FROM events WHERE id = %s FOR UPDATE", [event.id])
        yield connection


async def waits(sql: psycopg.Connection, callers: int) -> bool:
    """Whether that many statements wait for somebody's lock."""
    return sql.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount == callers


async def queued(events: PostgresEvents, wishes: Sequence[Wish]) -> list[asyncio.Task[int]]:
    callers = [asyncio.create_task(events.reserve(wish)) for wish in wishes]
    await asyncio.sleep(0)
    return callers
