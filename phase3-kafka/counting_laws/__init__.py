"""The promise as of phase 3: phase 2's laws, and that each booking's messages were counted exactly once.

I4 is read from the booking database and the metrics database alone: what was counted has been on Kafka.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import psycopg
from chassis.settings import PostgresSettings
from invariants import LAWS as LAWS_BEFORE
from invariants import Broken
from invariants import broken_laws as broken_before

LAWS = {
    **LAWS_BEFORE,
    "I4": "at rest: each confirmation and cancellation is counted exactly once, and the sums are the bookings'",
}

BOOKINGS = "SELECT id, status FROM bookings"

COUNTED = "SELECT booking_id, status, previous_status FROM counted"

OF_BOOKINGS = """
SELECT {key}, count(*) FILTER (WHERE status = 'CONFIRMED'), count(*) FILTER (WHERE status = 'CANCELLED'),
    coalesce(sum(ticket_count) FILTER (WHERE status = 'CONFIRMED'), 0)
FROM bookings WHERE status <> 'PENDING' GROUP BY 1
"""

OF_COUNTS = "SELECT {key}, confirmed - withdrawn, withdrawn + refused, tickets_sold - tickets_returned FROM {table}"


def broken_laws(
    bookings: PostgresSettings,
    events: PostgresSettings,
    metrics: PostgresSettings,
    *,
    acknowledged: Collection[uuid.UUID] = (),
    kept: Collection[uuid.UUID] = (),
    pending_limit: float = 30,
) -> list[Broken]:
    """Every break of I1 to I4; as phase 2's check, and ask when nothing is in flight and the consumer has caught up."""
    before = broken_before(bookings, events, acknowledged=acknowledged, kept=kept, pending_limit=pending_limit)
    return [*before, *miscounted(bookings, metrics)]


def miscounted(bookings: PostgresSettings, metrics: PostgresSettings) -> list[Broken]:
    """Every break of I4."""
    with _connect(bookings) as at_bookings, _connect(metrics) as at_metrics:
        return [
            *_transitions(at_bookings, at_metrics),
            *_sums(at_bookings, at_metrics, "day", "daily_bookings", "(created_at AT TIME ZONE 'UTC')::date"),
            *_sums(at_bookings, at_metrics, "event_id", "event_bookings", "event_id"),
        ]


def _transitions(bookings: psycopg.Connection, metrics: psycopg.Connection) -> Iterator[Broken]:
    counted: dict[uuid.UUID, Counter[tuple[str, str]]] = {}
    for booking_id, status, previous in metrics.execute(COUNTED):
        counted.setdefault(booking_id, Counter())[status, previous] += 1
    for booking_id, status in bookings.execute(BOOKINGS):
        found = counted.pop(booking_id, Counter())
        if found not in _RIGHT[status]:
            yield Broken("I4", f"booking {booking_id} is {status}, counted was {_told(found)}")
    for booking_id, found in counted.items():
        yield Broken("I4", f"booking {booking_id} does not exist, counted was {_told(found)}")


_CONFIRMED = ("CONFIRMED", "PENDING")
_WITHDRAWN = ("CANCELLED", "CONFIRMED")
_REFUSED = ("CANCELLED", "PENDING")
_RIGHT: Mapping[str, list[Counter[tuple[str, str]]]] = {
    "PENDING": [Counter()],
    "CONFIRMED": [Counter([_CONFIRMED])],
    "CANCELLED": [Counter([_CONFIRMED, _WITHDRAWN]), Counter([_REFUSED])],
}
"""What may have been counted of a booking with this status."""


def _told(found: Counter[tuple[str, str]]) -> str:
    return (
        ", ".join(f"{previous} → {status}, {times} times" for (status, previous), times in found.items()) or "nothing"
    )


def _sums(
    bookings: psycopg.Connection, metrics: psycopg.Connection, key: str, table: str, expression: str
) -> Iterator[Broken]:
    real = _by_key(bookings, OF_BOOKINGS.format(key=expression))
    told = {at: sums for at, sums in _by_key(metrics, OF_COUNTS.format(key=key, table=table)).items() if any(sums)}
    for at in sorted(real.keys() | told.keys()):
        if real.get(at) != told.get(at):
            yield Broken("I4", f"{table}, {key} {at}: {told.get(at)}, the bookings say {real.get(at)}")


def _by_key(connection: psycopg.Connection, query: str) -> dict[Any, tuple[int, ...]]:
    """Confirmed bookings, cancelled ones, and tickets of the confirmed ones, by day or event."""
    return {key: tuple(map(int, sums)) for key, *sums in connection.execute(query)}


def _connect(settings: PostgresSettings) -> psycopg.Connection:
    return psycopg.connect(**settings.conninfo(), autocommit=True)  # type: ignore[arg-type]
