"""The services' databases as the benchmark fills them."""

import psycopg
from booking_saga.config import SagaSettings
from event_service.config import EventSettings

from workbook.postgres import PASSWORD, USER

LOTS = 1_000_000

PUT = """
INSERT INTO events (id, name, kind, starts_at, time_zone, venue, capacity, available)
SELECT lpad(to_hex(number), 32, '0')::uuid, 'Jazz night', 'concert', now() + interval '30 days', 'UTC', 'Babylon',
    %(capacity)s, %(available)s
FROM generate_series(%(first)s::integer, %(last)s::integer) AS number
"""


def put_events(events: psycopg.Connection, last: int, *, first: int = 1, available: int = LOTS) -> None:
    """Events whose ids are the numbers `first` to `last`, each with `available` tickets."""
    events.execute(PUT, {"first": first, "last": last, "capacity": max(available, 1), "available": available})


def event_settings(address: str) -> EventSettings:
    """The event database on the PostgreSQL at this address."""
    host, port = address.split(":")
    return EventSettings(db_host=host, db_port=int(port), db_user=USER, db_password=PASSWORD)  # type: ignore[arg-type]


def booking_settings(address: str) -> SagaSettings:
    """The booking database there."""
    host, port = address.split(":")
    return SagaSettings(db_host=host, db_port=int(port), db_user=USER, db_password=PASSWORD)  # type: ignore[arg-type]


def tickets_of(buyer: int) -> int:
    """How many tickets the buyer of this number wants."""
    return 1 + buyer % 3
