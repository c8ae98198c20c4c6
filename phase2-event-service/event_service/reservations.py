"""Reservations in PostgreSQL: tickets set aside for bookings and given back, each exactly once.

One statement each, so that a crash leaves all of it or nothing. SQL decides every race: the row of the event is changed
only under the condition that makes the change right, and the booking's row can be made only once.
"""

import uuid

from chassis.errors import Unavailable
from chassis.postgres import Connection, Database
from psycopg.errors import UniqueViolation

from event_service.domain import AlreadyReleased, EventNotFound, OtherReservation, SalesClosed, SoldOut, Wish

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

# Without a reservation the INSERT leaves a tombstone: released before it was ever made.
RELEASE = """
WITH freed AS (
    INSERT INTO reservations (booking_id, reserved_at, released_at) VALUES (%(booking)s, NULL, now())
    ON CONFLICT (booking_id) DO UPDATE SET released_at = now() WHERE reservations.released_at IS NULL
    RETURNING event_id, ticket_count
)
UPDATE events SET available = available + freed.ticket_count FROM freed WHERE events.id = freed.event_id
"""

RESERVATION = "SELECT event_id, ticket_count, released_at IS NOT NULL FROM reservations WHERE booking_id = %s"

TICKETS_LEFT = "SELECT available, starts_at > now() FROM events WHERE id = %s"


class Contended(Unavailable):
    reason = "CONTENDED"


class Reservations:
    """Reserve and release, over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, wish: Wish) -> int:
        values = {"booking": wish.booking_id, "event": wish.event_id, "count": wish.ticket_count}
        async with self._database.connection() as connection:
            try:
                left = await (await connection.execute(RESERVE, values)).fetchone()
            except UniqueViolation:  # the same booking at the same moment: whoever was first has reserved
                left = None
            return int(left[0]) if left is not None else await _why_not(connection, wish)

    async def release(self, booking_id: uuid.UUID) -> bool:
        async with self._database.connection() as connection:
            return (await connection.execute(RELEASE, {"booking": booking_id})).rowcount > 0


async def _why_not(connection: Connection, wish: Wish) -> int:
    """The tickets left if this very reservation is there already; else raises what stands against it."""
    found = await (await connection.execute(RESERVATION, [wish.booking_id])).fetchone()
    event = await (await connection.execute(TICKETS_LEFT, [wish.event_id])).fetchone()
    if found is not None:
        event_id, ticket_count, released = found
        if released:
            raise AlreadyReleased(f"booking {wish.booking_id} has given its tickets back")
        if (event_id, ticket_count) != (wish.event_id, wish.ticket_count):
            raise OtherReservation(f"booking {wish.booking_id} holds {ticket_count} tickets of event {event_id}")
    if event is None:
        raise EventNotFound(wish.event_id)
    available, on_sale = event
    if found is not None:
        return int(available)
    if not on_sale:
        raise SalesClosed("sales closed when the event began")
    if available < wish.ticket_count:
        raise SoldOut(f"{available} tickets are left, {wish.ticket_count} were wanted")
    raise Contended("the event changed at this very moment; try again")
