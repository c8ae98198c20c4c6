"""What tests do with an outbox: put rows in, and wait until a relay has emptied it."""

import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import psycopg
from booking_outbox.relay import Relay

from tests.waiting import until_async

Relaying = Callable[[], AbstractAsyncContextManager[Relay]]

_PUT = "INSERT INTO outbox (booking_id, type, value) VALUES (%s, %s, '{}') RETURNING id"


def put(sql: psycopg.Connection, booking_id: uuid.UUID | None = None, kind: str = "T") -> int:
    """Puts a row in; returns its number."""
    row = sql.execute(_PUT, [booking_id or uuid.uuid4(), kind]).fetchone()
    assert row is not None
    return int(row[0])


def waiting(sql: psycopg.Connection, kind: str = "%") -> int:
    return sql.execute("SELECT FROM outbox WHERE type LIKE %s", [kind]).rowcount


async def emptied(sql: psycopg.Connection, kind: str = "%") -> None:
    """Returns once no row, or none of this type, is left."""

    async def empty() -> bool:
        return waiting(sql, kind) == 0

    await until_async(empty)
