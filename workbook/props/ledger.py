"""Events and reservations as a check sets them up and looks at them, beside the answer that it judges."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Reservation:
    event_id: uuid.UUID | None
    ticket_count: int | None
    released_at: datetime | None


class Ledger:
    """The tables `events` and `reservations` behind one connection."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def event(self, capacity: int, available: int | None = None) -> uuid.UUID:
        """A new event, tomorrow; with none of its tickets gone unless told otherwise."""
        event_id = uuid.uuid4()
        await self._connection.execute(
            "INSERT INTO events (id, name, kind, starts_at, time_zone, venue, capacity, available)"
            " VALUES (%s, 'Jazz Night', 'concert', now() + interval '1 day', 'Europe/Istanbul', 'Hall', %s, %s)",
            [event_id, capacity, capacity if available is None else available],
        )
        return event_id

    async def reserved(self, event_id: uuid.UUID, count: int, *, released: bool = False) -> uuid.UUID:
        """A booking whose reservation is in the table. Whether the event's number shows it is up to the caller."""
        booking_id = uuid.uuid4()
        await self._connection.execute(
            "INSERT INTO reservations (booking_id, event_id, ticket_count, released_at)"
            " VALUES (%s, %s, %s, CASE WHEN %s THEN now() END)",
            [booking_id, event_id, count, released],
        )
        return booking_id

    async def tombstone(self) -> uuid.UUID:
        """A booking that was released before it was ever reserved."""
        booking_id = uuid.uuid4()
        await self._connection.execute(
            "INSERT INTO reservations (booking_id, reserved_at, released_at) VALUES (%s, NULL, now())", [booking_id]
        )
        return booking_id

    async def left(self, event_id: uuid.UUID) -> int:
        found = await self._connection.execute("SELECT available FROM events WHERE id = %s", [event_id])
        return int((await found.fetchone() or (0,))[0])

    async def reservation(self, booking_id: uuid.UUID) -> Reservation | None:
        found = await self._connection.execute(
            "SELECT event_id, ticket_count, released_at FROM reservations WHERE booking_id = %s", [booking_id]
        )
        row = await found.fetchone()
        return Reservation(*row) if row else None
