"""Bookings in PostgreSQL. Each method is one statement; SQL decides every race, never Python."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chassis.postgres import Connection, Database

from booking_service.domain import Booking, BookingNotFound, NewBooking, Status, origins
from booking_service.repository import Position

AlsoWritten = Callable[[Connection, Booking], Awaitable[None]]
"""Called with each booking made or moved, inside the transaction that does it: phase 3 writes its message there."""

_COLUMNS = "id, user_id, event_id, ticket_count, status, reason, idempotency_key, created_at, updated_at"

CLAIM = f"""
INSERT INTO bookings (id, user_id, event_id, ticket_count, idempotency_key) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
RETURNING {_COLUMNS}
"""

BY_KEY = f"SELECT {_COLUMNS} FROM bookings WHERE user_id = %s AND idempotency_key = %s"

BY_ID = f"SELECT {_COLUMNS} FROM bookings WHERE id = %s"

MOVE = f"""
UPDATE bookings SET status = %s, reason = %s, updated_at = greatest(now(), created_at)
WHERE id = %s AND status = ANY(%s)
RETURNING {_COLUMNS}
"""

OF_USER = f"""
SELECT {_COLUMNS} FROM bookings WHERE user_id = %s
ORDER BY created_at DESC, id DESC LIMIT %s
"""

OF_USER_AFTER = f"""
SELECT {_COLUMNS} FROM bookings WHERE user_id = %s AND (created_at, id) < (%s, %s)
ORDER BY created_at DESC, id DESC LIMIT %s
"""


class PostgresBookings:
    """The `BookingRepository` of production."""

    def __init__(self, database: Database, also_written: AlsoWritten | None = None) -> None:
        self._database = database
        self._also_written = also_written

    async def claim(self, wish: NewBooking) -> Booking:
        made = await self._change(CLAIM, [uuid.uuid4(), wish.user_id, wish.event_id, wish.ticket_count, wish.key])
        if made is not None:
            return made
        # The key is taken. Its booking is committed by now: the INSERT waited for whoever was writing it.
        (holder,) = await self._read(BY_KEY, [wish.user_id, wish.key])
        return holder

    async def get(self, booking_id: uuid.UUID) -> Booking:
        found = await self._read(BY_ID, [booking_id])
        if not found:
            raise BookingNotFound(booking_id)
        return found[0]

    async def move(self, booking_id: uuid.UUID, target: Status, reason: str = "") -> Booking:
        moved = await self._change(MOVE, [target, reason, booking_id, origins(target)])
        return moved or await self.get(booking_id)

    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        if after is None:
            return await self._read(OF_USER, [user_id, limit])
        return await self._read(OF_USER_AFTER, [user_id, after.created_at, after.booking_id, limit])

    async def ready(self) -> None:
        """Raises unless the table can be read: no database, or not migrated yet."""
        await self._read(f"SELECT {_COLUMNS} FROM bookings LIMIT 0", [])

    async def _read(self, query: str, values: Sequence[Any]) -> list[Booking]:
        async with self._database.connection() as connection:
            rows = await (await connection.execute(query, values)).fetchall()
        return [_booking(row) for row in rows]

    async def _change(self, statement: str, values: Sequence[Any]) -> Booking | None:
        if self._also_written is None:  # one statement is a transaction by itself: no BEGIN and COMMIT to wait for
            changed = await self._read(statement, values)
            return changed[0] if changed else None
        async with self._database.transaction() as connection:
            row = await (await connection.execute(statement, values)).fetchone()
            if row is None:
                return None
            await self._also_written(connection, _booking(row))
            return _booking(row)


def _booking(row: Sequence[Any]) -> Booking:
    booking_id, user_id, event_id, ticket_count, status, *rest = row
    return Booking(booking_id, user_id, event_id, ticket_count, Status(status), *rest)
