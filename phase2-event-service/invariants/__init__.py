"""The promise the system keeps, read from both databases: which booking or event breaks which law.

One check for notebooks, tests and the command line. It only reads, and sees each database as of one moment.
"""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import psycopg
from chassis.settings import PostgresSettings

LAWS = {
    "I1": "per event: available + reserved = capacity, and 0 ≤ available ≤ capacity",
    "I2": "at rest: CONFIRMED bookings hold exactly their tickets, CANCELLED ones hold none, none is PENDING for long",
    "I3": "one booking a key, and an acknowledged booking never disappears or goes backwards",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """One break of a law; `what` names the booking or the event, and both numbers."""

    law: str
    what: str


@dataclass(frozen=True, slots=True)
class Held:
    """Tickets of one booking as one of the two databases has them."""

    event_id: str
    ticket_count: int


def broken_laws(
    bookings: PostgresSettings,
    events: PostgresSettings,
    *,
    acknowledged: Collection[uuid.UUID] = (),
    kept: Collection[uuid.UUID] = (),
    pending_limit: float = 30,
) -> list[Broken]:
    """Every break of I1 to I3. Between two moments of rest I2 may look broken: ask when nothing is in flight.

    `acknowledged` are the bookings whose creation was answered with CONFIRMED, `kept` those among them that nobody has
    asked to cancel; `pending_limit` is in seconds.
    """
    with _connect(bookings) as at_bookings, _connect(events) as at_events:
        return [
            *_unbalanced(at_events),
            *_mismatched(at_bookings, at_events),
            *_left_pending(at_bookings, pending_limit),
            *_doubled(at_bookings),
            *_lost(at_bookings, acknowledged, kept),
        ]


def _unbalanced(events: psycopg.Connection) -> Iterator[Broken]:
    rows = events.execute("""
        SELECT e.id, e.available, coalesce(sum(r.ticket_count), 0), e.capacity
        FROM events e LEFT JOIN reservations r ON r.event_id = e.id AND r.released_at IS NULL
        GROUP BY e.id
        HAVING e.available + coalesce(sum(r.ticket_count), 0) <> e.capacity
            OR e.available NOT BETWEEN 0 AND e.capacity
    """)
    for event_id, available, reserved, capacity in rows:
        yield Broken("I1", f"event {event_id}: {available} available + {reserved} reserved, capacity {capacity}")


def _mismatched(bookings: psycopg.Connection, events: psycopg.Connection) -> Iterator[Broken]:
    query = "SELECT id, event_id, ticket_count, status FROM bookings WHERE status <> 'CANCELLED'"
    wanted = {row[0]: (Held(row[1], row[2]), row[3]) for row in bookings.execute(query)}
    live = {
        booking_id: Held(str(event_id), count)
        for booking_id, event_id, count in events.execute(
            "SELECT booking_id, event_id, ticket_count FROM reservations WHERE released_at IS NULL"
        )
    }
    for booking_id, (held, status) in wanted.items():
        if status == "CONFIRMED" and live.get(booking_id) != held:
            yield Broken("I2", f"booking {booking_id} is CONFIRMED for {held}, reserved is {live.get(booking_id)}")
    for booking_id in live.keys() - wanted.keys():
        yield Broken("I2", f"booking {booking_id} is CANCELLED or unknown, and still holds {live[booking_id]}")


def _left_pending(bookings: psycopg.Connection, limit: float) -> Iterator[Broken]:
    query = "SELECT id FROM bookings WHERE status = 'PENDING' AND created_at < now() - make_interval(secs => %s)"
    for (booking_id,) in bookings.execute(query, [limit]):
        yield Broken("I2", f"booking {booking_id} is PENDING for more than {limit:g} s")


def _doubled(bookings: psycopg.Connection) -> Iterator[Broken]:
    rows = bookings.execute("""
        SELECT user_id, idempotency_key, count(*) FROM bookings WHERE idempotency_key IS NOT NULL
        GROUP BY user_id, idempotency_key HAVING count(*) > 1
    """)
    for user_id, key, count in rows:
        yield Broken("I3", f"key {key} of user {user_id} has {count} bookings")


def _lost(
    bookings: psycopg.Connection, acknowledged: Collection[uuid.UUID], kept: Collection[uuid.UUID]
) -> Iterator[Broken]:
    query = "SELECT id, status FROM bookings WHERE id = ANY(%s)"
    there: dict[uuid.UUID, str] = dict(bookings.execute(query, [[*acknowledged, *kept]]).fetchall())
    for booking_id in {*acknowledged, *kept}:
        status = there.get(booking_id, "gone")
        if status in {"gone", "PENDING"} or (booking_id in kept and status != "CONFIRMED"):
            yield Broken("I3", f"booking {booking_id} was acknowledged and is {status}")


def _connect(settings: PostgresSettings) -> psycopg.Connection:
    connection = psycopg.connect(**settings.conninfo())  # type: ignore[arg-type]
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # one snapshot for all that is asked
    return connection
