"""The counts in PostgreSQL: a message and what it adds to the sums go in together, in one statement, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from chassis.postgres import Database
from messaging.contract import BookingCancelledEvent, Received

_SUMS = ("confirmed", "withdrawn", "refused", "tickets_sold", "tickets_returned")
_ADDED = """
    count(*) FILTER (WHERE status = 'CONFIRMED'),
    count(*) FILTER (WHERE status = 'CANCELLED' AND previous_status = 'CONFIRMED'),
    count(*) FILTER (WHERE status = 'CANCELLED' AND previous_status = 'PENDING'),
    coalesce(sum(ticket_count) FILTER (WHERE status = 'CONFIRMED'), 0),
    coalesce(sum(ticket_count) FILTER (WHERE status = 'CANCELLED' AND previous_status = 'CONFIRMED'), 0)
"""


def _sums_by(table: str, key: str) -> str:
    """Adds the new messages to a table's sums; in the order of its key, so that no two consumers wait in a circle."""
    more = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in _SUMS)
    return f"""
    INSERT INTO {table} ({key}, {", ".join(_SUMS)})
    SELECT {key}, {_ADDED} FROM new GROUP BY {key} ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET {more}
    """


# The message's id decides. A message that comes again gets another offset when a relay has sent it twice, so the offset
# could not tell.
COUNT = f"""
WITH message AS (
    SELECT DISTINCT ON (message_id) *
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::date[], %s::integer[])
        AS message (message_id, booking_id, status, previous_status, event_id, day, ticket_count)
    ORDER BY message_id
), seen_first AS (
    INSERT INTO counted (message_id, booking_id, status, previous_status)
    SELECT message_id, booking_id, status, previous_status FROM message ORDER BY message_id
    ON CONFLICT (message_id) DO NOTHING
    RETURNING message_id
), new AS (
    SELECT * FROM message JOIN seen_first USING (message_id)
), by_day AS ({_sums_by("daily_bookings", "day")}
), by_event AS ({_sums_by("event_bookings", "event_id")}
)
SELECT count(*) FROM new
"""

TOTALS = f"SELECT {', '.join(f'coalesce(sum({column}), 0)' for column in _SUMS)} FROM daily_bookings"

TODAY = f"SELECT {', '.join(_SUMS)} FROM daily_bookings WHERE day = (now() AT TIME ZONE 'UTC')::date"

POPULAR = """
SELECT event_id, tickets_sold - tickets_returned AS tickets FROM event_bookings
ORDER BY tickets_sold - tickets_returned DESC, event_id LIMIT %s
"""


class CannotCount(Exception):
    """The database refuses what one of these messages says: it would refuse it again."""


@dataclass(frozen=True, slots=True)
class Sums:
    """How many bookings were confirmed, and cancelled after or before that; tickets sold, and of those come back."""

    confirmed: int = 0
    withdrawn: int = 0
    refused: int = 0
    tickets_sold: int = 0
    tickets_returned: int = 0


class PostgresCounts:
    """Counts messages, and tells what was counted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, messages: Sequence[Received]) -> int:
        """Counts those that were not counted before; returns how many. Raises CannotCount, DatabaseUnavailable."""
        columns = [list(column) for column in zip(*map(_row, messages), strict=True)]
        try:
            async with self._database.connection() as connection:
                row = await (await connection.execute(COUNT, columns)).fetchone()
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise CannotCount(str(error).strip()) from error
        return row[0] if row else 0

    async def totals(self) -> Sums:
        return await self._sums(TOTALS)

    async def today(self) -> Sums:
        return await self._sums(TODAY)

    async def popular(self, most: int) -> list[tuple[str, int]]:
        """The events with the most tickets sold and not come back: their ids, and how many."""
        async with self._database.connection() as connection:
            return [
                (event_id, tickets)
                for event_id, tickets in await (await connection.execute(POPULAR, [most])).fetchall()
            ]

    async def ready(self) -> None:
        """Raises unless the tables can be read: no database, or not migrated yet."""
        await self.today()

    async def _sums(self, query: str) -> Sums:
        async with self._database.connection() as connection:
            row = await (await connection.execute(query)).fetchone()
        return Sums(*map(int, row)) if row else Sums()


def _row(message: Received) -> tuple[Any, ...]:
    event = message.event
    day = event.created_at.date()  # of the booking, in UTC: a cancellation is told of the day it was booked
    if isinstance(event, BookingCancelledEvent):
        status, previous = "CANCELLED", event.previous_status
    else:
        status, previous = "CONFIRMED", "PENDING"
    return message.id, event.booking_id, status, previous, event.event_id, day, event.ticket_count
