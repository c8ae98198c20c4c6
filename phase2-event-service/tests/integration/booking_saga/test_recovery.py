"""Recovery works on a few bookings at once, and what it could do counts even if something else failed."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from booking_saga import recovery
from booking_saga.app import MIGRATIONS
from booking_saga.config import SagaSettings
from booking_saga.inventory import EventServiceAway
from booking_saga.recovery import Recovery
from booking_service.postgres import PostgresBookings
from booking_service.service import BookingUseCases
from chassis.migrations import create_database, migrate
from chassis.postgres import Database
from event_service.config import EventSettings
from structlog.testing import capture_logs

from workbook.part import Part
from workbook.postgres import connect


class Releases:
    """An event service that notes releases, and how many came at once; it refuses those in `away`."""

    def __init__(self) -> None:
        self.released: Counter[uuid.UUID] = Counter()
        self.away: set[uuid.UUID] = set()
        self.under_way = self.most = 0

    async def give_back(self, booking_id: uuid.UUID) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if booking_id in self.away:
            raise EventServiceAway("away")
        self.released[booking_id] += 1


@pytest.fixture(scope="module")
def recovery_settings(migrated_events: EventSettings) -> SagaSettings:
    settings = SagaSettings(
        **{name: getattr(migrated_events, name) for name in ("db_host", "db_port", "db_user", "db_password")},
        db_name="recovery_db",
    )
    create_database(settings)
    migrate(settings, MIGRATIONS)
    return settings


@pytest.fixture
def sql(recovery_settings: SagaSettings, postgres: Part) -> Iterator[psycopg.Connection]:
    with connect(postgres.address, recovery_settings.db_name) as connection:
        connection.execute("TRUNCATE bookings")
        connection.execute("""
            INSERT INTO bookings (id, user_id, event_id, ticket_count, status)
            SELECT gen_random_uuid(), 'ada', 'jazz', 1, 'CANCELLED' FROM generate_series(1, 40)
        """)
        yield connection


@pytest.fixture
def releases() -> Releases:
    return Releases()


@pytest.fixture
async def recovering(recovery_settings: SagaSettings, releases: Any) -> AsyncIterator[Recovery]:
    async with Database(recovery_settings) as database:
        use_cases = BookingUseCases(PostgresBookings(database), releases)
        yield Recovery(database, use_cases, releases, pending_limit=5, interval=1)


def ids(sql: psycopg.Connection, condition: str) -> set[uuid.UUID]:
    return {row[0] for row in sql.execute(f"SELECT id FROM bookings WHERE {condition}").fetchall()}  # noqa: S608


async def test_a_few_releases_run_at_once(recovering: Recovery, releases: Releases, sql: psycopg.Connection) -> None:
    assert await recovering.settle() == 40
    assert releases.most == recovery._AT_ONCE
    assert releases.released == Counter(ids(sql, "given_back"))
    assert await recovering.settle() == 0


async def test_what_failed_is_told_and_the_rest_is_settled(
    recovering: Recovery, releases: Releases, sql: psycopg.Connection
) -> None:
    releases.away = set(list(ids(sql, "true"))[:3])
    with pytest.raises(EventServiceAway):
        await recovering.settle()
    assert ids(sql, "NOT given_back") == releases.away
    releases.away = set()
    sql.execute("UPDATE bookings SET settle_at = now()")
    assert await recovering.settle() == 3


async def test_what_cannot_be_settled_is_named_with_its_reason(
    recovering: Recovery, releases: Releases, sql: psycopg.Connection
) -> None:
    """Else the tickets of one that fails for good are kept, and nobody hears which they are."""
    releases.away = set(list(ids(sql, "true"))[:2])
    with capture_logs() as logged, pytest.raises(EventServiceAway):
        await recovering.settle()
    told = {(line["booking_id"], line["error"]) for line in logged if line["event"] == "not settled"}
    assert told == {(str(booking_id), "EventServiceAway: away") for booking_id in releases.away}


async def test_with_the_service_away_it_stops_trying(
    recovering: Recovery, releases: Releases, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[uuid.UUID] = []

    async def away(booking_id: uuid.UUID) -> None:
        tried.append(booking_id)
        raise EventServiceAway("away")

    monkeypatch.setattr(releases, "give_back", away)
    with pytest.raises(EventServiceAway):
        await recovering.settle()
    assert len(tried) == recovery._AT_ONCE
    assert not ids(sql, "given_back")
