"""The last check of checklist 2: it reads both databases, and sees what no answer shows."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from booking_saga.app import MIGRATIONS
from booking_saga.config import SagaSettings
from chassis.migrations import create_database, migrate
from checklist import test_2_laws
from event_service.config import EventSettings

from workbook.checks.system import System
from workbook.checks.verdict import Wrong
from workbook.part import Part
from workbook.postgres import connect

BOOKING = "00000000-0000-0000-0000-000000000002"
SOLD = """
INSERT INTO events (id, name, kind, starts_at, time_zone, venue, capacity, available)
VALUES ('00000000-0000-0000-0000-000000000001', 'Jazz', 'concert', now(), 'UTC', 'Babylon', 10, 7);
INSERT INTO reservations (booking_id, event_id, ticket_count)
VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 3)
"""
BOOKED = """
INSERT INTO bookings (id, user_id, event_id, ticket_count, status)
VALUES ('00000000-0000-0000-0000-000000000002', 'ada', '00000000-0000-0000-0000-000000000001', 3, 'CONFIRMED')
"""


@dataclass
class Checked:
    """What the checks before it have done: bookings they were given, reservations they made without a booking."""

    name: str
    given: set[str] = field(default_factory=set)
    reserved: set[str] = field(default_factory=set)
    released: list[str] = field(default_factory=list)

    def release(self, booking_id: str) -> None:
        self.released.append(booking_id)


@pytest.fixture(scope="module")
def laws_database(migrated_events: EventSettings) -> SagaSettings:
    same = {name: getattr(migrated_events, name) for name in ("db_host", "db_port", "db_user", "db_password")}
    settings = SagaSettings(**same, db_name="laws_db")
    create_database(settings)
    migrate(settings, MIGRATIONS)
    return settings


@pytest.fixture
def system(
    laws_database: SagaSettings,
    event_settings: EventSettings,
    event_sql: psycopg.Connection,
    postgres: Part,
    monkeypatch: pytest.MonkeyPatch,
) -> System:
    """One booking of 3 of 10 tickets, whole in both databases."""
    monkeypatch.setattr(test_2_laws, "AT_REST", 0.2)
    event_sql.execute(SOLD)
    with connect(postgres.address, laws_database.db_name) as bookings:
        bookings.execute("TRUNCATE bookings")
        bookings.execute(BOOKED)
    return System("two databases", {}, databases={"booking-service": laws_database, "event-service": event_settings})


def check(system: System, **more: Any) -> Checked:
    bookings = Checked("booking-service", given={BOOKING, *more.get("given", ())})
    events = Checked("event-service", reserved=set(more.get("reserved", ())))
    test_2_laws.test_laws(system, bookings, events)  # type: ignore[arg-type]  # all it asks of its clients is in Checked
    return events


def test_they_hold(system: System) -> None:
    assert check(system, reserved=["of no booking"]).released == ["of no booking"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE events SET available = 8", "I1: event 00000000-0000-0000-0000-000000000001: 8 available + 3 reserved"),
        ("UPDATE reservations SET released_at = now(); UPDATE events SET available = 10", "is CONFIRMED for"),
        ("UPDATE reservations SET ticket_count = 2; UPDATE events SET available = 8", "is CONFIRMED for"),
    ],
)
def test_a_break_is_seen(system: System, event_sql: psycopg.Connection, damage: str, said: str) -> None:
    event_sql.execute(damage)
    with pytest.raises(Wrong, match="1 breaks of the laws, such as") as wrong:
        check(system)
    assert said in wrong.value.said


def test_a_booking_that_got_lost_is_seen(system: System) -> None:
    gone = str(uuid.uuid4())
    with pytest.raises(Wrong, match=f"I3: booking {gone} was acknowledged and is gone"):
        check(system, given=[gone])


def test_without_databases_there_is_no_verdict() -> None:
    with pytest.raises(pytest.skip.Exception, match="needs the databases: --target local, or compose"):
        check(System("elsewhere", {}))
