"""Reservations in PostgreSQL: tickets set aside for bookings and given back, each exactly once.

What belongs together is one statement, so that a crash leaves all of it or nothing. SQL decides every race: the row of
the event is changed only under the condition that makes the change right, and the booking's row can be made only once.

Wishes that wait for one event share a statement (see chassis/grouping.py): a row that everyone wants is locked and
written once for all of them. Each is decided by itself, in order of arrival, as if they had come one by one.
"""

import uuid
from collections.abc import Sequence

from chassis.errors import ServiceError, Unavailable
from chassis.grouping import Grouping, Groupings
from chassis.postgres import Connection, Database
from psycopg.errors import UniqueViolation

from event_service.domain import Wish
from event_service.ledger import Held, Ledger

RESERVE = """
WITH taken AS (
    UPDATE events SET available = available - %(count)s
    WHERE id = %(event)s AND available >= %(count)s AND starts_at > now()
      AND NOT EXISTS (SELECT FROM reservations WHERE booking_id = %(booking)s)
    RETURNING id, available
), made AS (
    INSERT INTO reservations (booking_id, event_id, ticket_count) SELECT %(booking)s, id, %(count)s FROM taken
)
SELECT available FROM taken
"""

# RESERVE for many, whose `total` fits as far as was seen: all of them or none. The key of reservations is what keeps a
# booking from being there twice. In order of booking: all wait for each other in one order, so no two wait in a circle.
RESERVE_MANY = """
WITH taken AS (
    UPDATE events SET available = available - %(total)s
    WHERE id = %(event)s AND available >= %(total)s AND starts_at > now()
    RETURNING id
)
INSERT INTO reservations (booking_id, event_id, ticket_count)
SELECT wish.booking_id, taken.id, wish.ticket_count
FROM taken, unnest(%(bookings)s::uuid[], %(counts)s::integer[]) AS wish (booking_id, ticket_count)
ORDER BY wish.booking_id
"""

# A release begins with tombstones for those without a reservation: released before it was ever made. It does not wait
# for whoever is just changing a reservation: what it sees it does not try to insert.
BURY_MANY = """
INSERT INTO reservations (booking_id, reserved_at, released_at)
SELECT DISTINCT booking_id, NULL::timestamptz, now() FROM unnest(%s::uuid[]) AS released (booking_id)
WHERE NOT EXISTS (SELECT FROM reservations WHERE reservations.booking_id = released.booking_id)
ORDER BY booking_id
ON CONFLICT (booking_id) DO NOTHING
"""

EVENTS_OF = "SELECT booking_id, event_id FROM reservations WHERE booking_id = ANY(%s)"

RELEASE = """
WITH freed AS (
    UPDATE reservations SET released_at = now() WHERE booking_id = %(booking)s AND released_at IS NULL
    RETURNING event_id, ticket_count
)
UPDATE events SET available = available + freed.ticket_count FROM freed WHERE events.id = freed.event_id
"""

# The event, and beside it what each of the bookings holds; one row with the event alone if none of them holds anything.
LOOK = """
SELECT events.available, events.starts_at > now(),
    held.booking_id, held.event_id, held.ticket_count, held.released_at IS NOT NULL
FROM (VALUES (%(event)s::uuid)) AS asked (event_id)
LEFT JOIN events ON events.id = asked.event_id
LEFT JOIN reservations AS held ON held.booking_id = ANY(%(bookings)s)
"""

_TRIES = 10


class Contended(Unavailable):
    reason = "CONTENDED"


class Reservations:
    """Reserve and release, over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reserving = Groupings()
        self._burying = Grouping()
        self._releasing = Groupings(largest=1)

    async def reserve(self, wish: Wish) -> int:
        verdict = await self._reserving.verdict(wish.event_id, self._reserve, wish)
        if isinstance(verdict, ServiceError):
            raise verdict
        return verdict

    async def release(self, booking_id: uuid.UUID) -> bool:
        event_id = await self._burying.verdict(self._bury, booking_id)
        return event_id is not None and await self._releasing.verdict(event_id, self._release, booking_id)

    async def _reserve(self, wishes: Sequence[Wish]) -> list[int | ServiceError]:
        """The verdicts on wishes for one event. Refusals are answers too: nothing is tried again because of them."""
        async with self._database.connection() as connection:
            if len(wishes) == 1:
                left = await _take_alone(connection, wishes[0])
                return [left] if left is not None else [await _why_not(connection, wishes[0])]
            for _ in range(_TRIES):
                verdicts, taken = (await _look(connection, wishes)).serve_all(wishes)
                if not taken or await _take(connection, taken):  # a refusal is a look, and writes nothing
                    return verdicts
            raise Contended("the event changes all the time; try again")

    async def _bury(self, booking_ids: Sequence[uuid.UUID]) -> list[uuid.UUID | None]:
        """The event whose tickets each holds or held; None for one that holds none, and never will."""
        async with self._database.connection() as connection:
            await connection.execute(BURY_MANY, [list(booking_ids)])
            rows = await (await connection.execute(EVENTS_OF, [list(booking_ids)])).fetchall()
        held: dict[uuid.UUID, uuid.UUID] = dict(rows)
        return [held.get(booking_id) for booking_id in booking_ids]

    async def _release(self, booking_ids: Sequence[uuid.UUID]) -> list[bool]:
        """One at a time, and each event in a queue of its own: where its row is locked, it holds up no other."""
        (booking_id,) = booking_ids
        async with self._database.connection() as connection:
            return [(await connection.execute(RELEASE, {"booking": booking_id})).rowcount > 0]


async def _take_alone(connection: Connection, wish: Wish) -> int | None:
    """How many tickets are left after this wish was served; None if it was not."""
    values = {"booking": wish.booking_id, "event": wish.event_id, "count": wish.ticket_count}
    try:
        left = await (await connection.execute(RESERVE, values)).fetchone()
    except UniqueViolation:  # the same booking at the same moment: whoever was first has reserved
        return None
    return None if left is None else int(left[0])


async def _take(connection: Connection, wishes: Sequence[Wish]) -> bool:
    """Takes the tickets of all these wishes for one event; False, and none, if things changed since the look."""
    values = {
        "event": wishes[0].event_id,
        "total": sum(wish.ticket_count for wish in wishes),
        "bookings": [wish.booking_id for wish in wishes],
        "counts": [wish.ticket_count for wish in wishes],
    }
    try:
        return (await connection.execute(RESERVE_MANY, values)).rowcount > 0
    except UniqueViolation:  # one of these bookings has come to another replica meanwhile
        return False


async def _why_not(connection: Connection, wish: Wish) -> int | ServiceError:
    """The tickets left if this very reservation is there already; else what stands against it."""
    (verdict,), could_be_taken = (await _look(connection, [wish])).serve_all([wish])
    return Contended("the event changed at this very moment; try again") if could_be_taken else verdict


async def _look(connection: Connection, wishes: Sequence[Wish]) -> Ledger:
    values = {"event": wishes[0].event_id, "bookings": [wish.booking_id for wish in wishes]}
    rows = await (await connection.execute(LOOK, values)).fetchall()
    available, on_sale = rows[0][:2]
    held = {booking_id: Held(*what) for _, _, booking_id, *what in rows if booking_id is not None}
    return Ledger(available, bool(on_sale), held)
