"""Bookings in PostgreSQL. Each method is one statement, or a second where another was first; SQL decides every race.

Claims and confirmations that come at the same time share a statement and its commit: see chassis/grouping.py.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from chassis.grouping import Grouping
from chassis.paging import Position
from chassis.postgres import Connection, Database

from booking_service.domain import Booking, BookingNotFound, Change, NewBooking, Status, origins

Write: TypeAlias = Callable[[Connection, Sequence[Change]], Awaitable[Callable[[], object] | None]]
"""Writes more, for all bookings that one statement changed, in its transaction; what it returns is called after that
is committed."""
AlsoWritten: TypeAlias = Mapping[Status, Write]
"""What is written besides when bookings get a status; phase 3 writes its messages there."""

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

_WAS = ", old.status"  # the row before the statement, in PostgreSQL 18; asked only for what is also written

OF_USER = f"""
SELECT {_COLUMNS} FROM bookings WHERE user_id = %s
ORDER BY created_at DESC, id DESC LIMIT %s
"""

OF_USER_AFTER = f"""
SELECT {_COLUMNS} FROM bookings WHERE user_id = %s AND (created_at, id) < (%s, %s)
ORDER BY created_at DESC, id DESC LIMIT %s
"""


Claim: TypeAlias = tuple[uuid.UUID, str, str, int, str | None]


def for_many(statement: str) -> str:
    """CLAIM or MOVE for many bookings at once: it takes lists of what it took one of."""
    rows = "unnest(%s::uuid[], %s::text[], %s::text[], %s::integer[], %s::text[])"
    in_order = "ORDER BY 2, 5"  # of user and key: all wait for each other in one order, so no two wait in a circle
    many = statement.replace("VALUES (%s, %s, %s, %s, %s)", f"SELECT * FROM {rows} {in_order}")
    # A row that somebody holds is left alone: waiting for it would keep all the others waiting too.
    free = "SELECT id FROM bookings WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED"
    return many.replace("WHERE id = %s", f"WHERE id IN ({free})")


class PostgresBookings:
    """The `BookingRepository` of production."""

    def __init__(self, database: Database, also_written: AlsoWritten | None = None) -> None:
        self._database = database
        self._also_written = also_written or {}
        self._grouping = Grouping()

    async def claim(self, wish: NewBooking) -> Booking:
        claim = (uuid.uuid4(), wish.user_id, wish.event_id, wish.ticket_count, wish.key)
        made = await self._grouping.verdict(self._claim, claim)
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

    async def move(
        self, booking_id: uuid.UUID, target: Status, reason: str = "", *, only_from: Status | None = None
    ) -> Booking:
        if target is Status.CONFIRMED:  # from PENDING alone, whatever `only_from` says
            confirmed = await self._grouping.verdict(self._confirm, booking_id)
            if confirmed is not None:
                return confirmed
        # By itself, so that whoever holds the row holds up nobody else.
        allowed = [origin for origin in origins(target) if only_from in {None, origin}]
        (moved,) = await self._change(target, MOVE, [target, reason, booking_id, allowed], [booking_id])
        return moved or await self.get(booking_id)

    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        if after is None:
            return await self._read(OF_USER, [user_id, limit])
        return await self._read(OF_USER_AFTER, [user_id, after.at, after.id, limit])

    async def ready(self) -> None:
        """Raises unless the table can be read: no database, or not migrated yet."""
        await self._read(f"SELECT {_COLUMNS} FROM bookings LIMIT 0", [])

    async def _read(self, query: str, values: Sequence[Any]) -> list[Booking]:
        async with self._database.connection() as connection:
            rows = await (await connection.execute(query, values)).fetchall()
        return [_booking(row) for row in rows]

    async def _claim(self, claims: Sequence[Claim]) -> list[Booking | None]:
        ids = [claim[0] for claim in claims]
        if len(claims) == 1:
            return await self._change(Status.PENDING, CLAIM, claims[0], ids)
        columns = [list(column) for column in zip(*claims, strict=True)]
        return await self._change(Status.PENDING, for_many(CLAIM), columns, ids)

    async def _confirm(self, ids: Sequence[uuid.UUID]) -> list[Booking | None]:
        values = [Status.CONFIRMED, "", list(ids), list(origins(Status.CONFIRMED))]
        return await self._change(Status.CONFIRMED, for_many(MOVE), values, ids)

    async def _change(
        self, target: Status, statement: str, values: Sequence[Any], ids: Sequence[uuid.UUID]
    ) -> list[Booking | None]:
        """The bookings that the statement gave this status, in the order of `ids`; None for each that it left alone."""
        also = self._also_written.get(target)
        if also is None:  # one statement is a transaction by itself: no BEGIN and COMMIT to wait for
            changed = await self._read(statement, values)
        else:
            changed = await self._change_and_write(statement, values, also)
        by_id = {booking.id: booking for booking in changed}
        return [by_id.get(booking_id) for booking_id in ids]

    async def _change_and_write(self, statement: str, values: Sequence[Any], also: Write) -> list[Booking]:
        committed = None
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(statement + _WAS, values)).fetchall()
            changes = [Change(_booking(row[:-1]), Status(row[-1]) if row[-1] else None) for row in rows]
            if changes:
                committed = await also(connection, changes)
        if committed is not None:
            committed()
        return [change.booking for change in changes]


def _booking(row: Sequence[Any]) -> Booking:
    booking_id, user_id, event_id, ticket_count, status, *rest = row
    return Booking(booking_id, user_id, event_id, ticket_count, Status(status), *rest)
