"""Events in PostgreSQL: describing, listing, changing. Reservations have a file of their own."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chassis.paging import Position
from chassis.postgres import Database
from psycopg.errors import UniqueViolation

from event_service.domain import (
    MAX_CAPACITY,
    CapacityTooLarge,
    Event,
    EventChanges,
    EventNotFound,
    Kind,
    NewEvent,
    OperationReused,
    TicketsReserved,
)
from event_service.repository import Filter
from event_service.reservations import Contended, Reservations

_COLUMNS = "id, name, kind, starts_at, time_zone, venue, capacity, available, created_at, updated_at"

CREATE = f"""
INSERT INTO events (id, name, kind, starts_at, time_zone, venue, capacity, available)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
RETURNING {_COLUMNS}
"""

BY_IDS = f"SELECT {_COLUMNS} FROM events WHERE id = ANY(%s)"

# A value that is NULL leaves the column as it was.
UPDATE = f"""
UPDATE events SET name = coalesce(%s, name), kind = coalesce(%s, kind), starts_at = coalesce(%s, starts_at),
    time_zone = coalesce(%s, time_zone), venue = coalesce(%s, venue), updated_at = greatest(now(), created_at)
WHERE id = %s
RETURNING {_COLUMNS}
"""

# Nothing is set aside exactly when all of the capacity is available.
DELETE = "DELETE FROM events WHERE id = %s AND available = capacity RETURNING id"

CHANGE_CAPACITY = f"""
WITH changed AS (
    UPDATE events SET capacity = capacity + %(change)s, available = available + %(change)s,
        updated_at = greatest(now(), created_at)
    WHERE id = %(event)s AND available + %(change)s >= 0 AND capacity + %(change)s <= {MAX_CAPACITY}
      AND NOT EXISTS (SELECT FROM capacity_changes WHERE operation_id = %(operation)s)
    RETURNING {_COLUMNS}
), noted AS (
    INSERT INTO capacity_changes (operation_id, event_id, change) SELECT %(operation)s, id, %(change)s FROM changed
)
SELECT {_COLUMNS} FROM changed
"""

OPERATION = "SELECT event_id, change FROM capacity_changes WHERE operation_id = %s"


# An index finds the venues that have all pieces of the text (see migration 002), then each is compared with all of it.
IN_VENUE = "pieces(venue, 1) @> pieces(%s::text, least(3, length(lower(%s)))) AND venue ILIKE %s"


NEARBY = 1000  # events: looking through them takes 2 ms


class PostgresEvents(Reservations):
    """The `EventRepository` of production."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._database = database

    async def create(self, new: NewEvent) -> Event:
        described = (new.name, new.kind, new.starts_at, new.time_zone, new.venue)
        (event,) = await self._events(CREATE, [uuid.uuid4(), *described, new.capacity, new.capacity])
        return event

    async def get(self, event_id: uuid.UUID) -> Event:
        return _only(await self.many([event_id]), event_id)

    async def many(self, event_ids: Sequence[uuid.UUID]) -> list[Event]:
        return await self._events(BY_IDS, [list(event_ids)])

    async def page(self, wanted: Filter, limit: int, after: Position | None = None) -> list[Event]:
        # The planner takes a word for rarer than it is, and would collect and sort all events of a common one. Those
        # are near: a few along the dates show enough of them. What is not there is rare, and read from its index.
        if wanted.venue is not None:
            found = await self._events(*nearby_query(wanted, limit, after), prepare=False)
            if len(found) == limit:
                return found
        # Planned anew each time: which index is best depends on what is looked for.
        return await self._events(*page_query(wanted, limit, after), prepare=False)

    async def update(self, event_id: uuid.UUID, changes: EventChanges) -> Event:
        values = (changes.name, changes.kind, changes.starts_at, changes.time_zone, changes.venue)
        return _only(await self._events(UPDATE, [*values, event_id]), event_id)

    async def delete(self, event_id: uuid.UUID) -> None:
        async with self._database.connection() as connection:
            deleted = (await connection.execute(DELETE, [event_id])).rowcount
        if not deleted:
            event = await self.get(event_id)
            raise TicketsReserved(f"{event.capacity - event.available} tickets of this event are reserved")

    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        values = {"event": event_id, "change": change, "operation": operation_id}
        try:
            changed = await self._events(CHANGE_CAPACITY, values)
        except UniqueViolation:  # the same operation at the same moment: whoever was first has done it
            changed = []
        return changed[0] if changed else await self._why_not(event_id, change, operation_id)

    async def ready(self) -> None:
        """Raises unless the table can be read: no database, or not migrated yet."""
        await self._events(f"SELECT {_COLUMNS} FROM events LIMIT 0", [])

    async def _why_not(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        async with self._database.connection() as connection:
            done = await (await connection.execute(OPERATION, [operation_id])).fetchone()
        event = await self.get(event_id)
        if done == (event_id, change):
            return event
        if done is not None:
            raise OperationReused(f"operation {operation_id} was another change; use a new id")
        if event.available + change < 0:
            raise TicketsReserved(f"{event.available} tickets can be withdrawn, the others are reserved")
        if event.capacity + change > MAX_CAPACITY:
            raise CapacityTooLarge(f"an event has at most {MAX_CAPACITY:,} tickets")
        raise Contended("the event changed at this very moment; try again")

    async def _events(self, query: str, values: Any, *, prepare: bool | None = None) -> list[Event]:
        async with self._database.connection() as connection:
            rows = await (await connection.execute(query, values, prepare=prepare)).fetchall()
        return [_event(row) for row in rows]


def page_query(wanted: Filter, limit: int, after: Position | None) -> tuple[str, list[Any]]:
    """The statement that reads a page, and its values."""
    conditions, values = _conditions(wanted, after)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {_COLUMNS} FROM events {where} ORDER BY starts_at, id LIMIT %s", [*values, limit]


def nearby_query(wanted: Filter, limit: int, after: Position | None) -> tuple[str, list[Any]]:
    """As `page_query`, but it looks for the venue among the next NEARBY events only."""
    nearby, values = page_query(replace(wanted, venue=None), NEARBY, after)
    query = f"SELECT * FROM ({nearby}) AS nearby WHERE venue ILIKE %s ORDER BY starts_at, id LIMIT %s"
    return query, [*values, f"%{_literally(wanted.venue or '')}%", limit]


def _conditions(wanted: Filter, after: Position | None) -> tuple[list[str], list[Any]]:
    """The conditions that apply, and their values in the same order."""
    pattern = None if wanted.venue is None else f"%{_literally(wanted.venue)}%"
    possible = [
        ("kind = %s", [wanted.kind] if wanted.kind is not None else None),
        ("starts_at >= %s", [wanted.starts_from] if wanted.starts_from is not None else None),
        ("starts_at < %s", [wanted.starts_before] if wanted.starts_before is not None else None),
        (IN_VENUE, [wanted.venue, wanted.venue, pattern] if pattern is not None else None),
        ("available > %s", [0] if wanted.only_available else None),
        ("(starts_at, id) > (%s, %s)", [after.at, after.id] if after is not None else None),
    ]
    applying = [(condition, values) for condition, values in possible if values is not None]
    return [condition for condition, _ in applying], [value for _, values in applying for value in values]


def _literally(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _only(found: list[Event], event_id: uuid.UUID) -> Event:
    if not found:
        raise EventNotFound(event_id)
    return found[0]


def _event(row: Sequence[Any]) -> Event:
    event_id, name, kind, *rest = row
    return Event(event_id, name, Kind(kind), *rest)
