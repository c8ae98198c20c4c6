"""Booking over both services, each with its database; what a crash or an absence leaves, and how it is put right."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import invariants
import psycopg
import pytest
from booking_saga.app import MIGRATIONS, saga_app
from booking_saga.config import SagaSettings
from booking_saga.inventory import EventServiceAway
from booking_service.app import BookingApp
from booking_service.domain import Booking, NewBooking, Status
from booking_service.inventory import TicketsRefused
from chassis.migrations import create_database, migrate
from chassis.postgres import Database
from event_service.app import event_app
from event_service.config import EventSettings
from event_service.domain import NewEvent
from event_service.postgres import PostgresEvents
from invariants import Broken, broken_laws

from workbook.part import Part
from workbook.postgres import connect

# A busy machine is no reason for another answer.
PATIENT = {"db_lock_timeout": 30, "db_statement_timeout": 30, "deadline_limit": 60}
SOON = datetime.now(UTC) + timedelta(days=30)


@dataclass
class System:
    """Both services as of phase 2, in this process, over real databases."""

    bookings: BookingApp
    booking_settings: SagaSettings
    event_settings: EventSettings
    event_id: str
    stop_events: Callable[[], Awaitable[object]]

    async def book(self, tickets: int, key: str | None = None) -> Booking:
        return await self.bookings.use_cases.create(NewBooking("ada", self.event_id, tickets, key))

    def laws(self) -> list[str]:
        return [broken.what for broken in broken_laws(self.booking_settings, self.event_settings)]


@pytest.fixture(scope="session")
def saga_database(migrated_events: EventSettings) -> SagaSettings:
    settings = SagaSettings(
        **{name: getattr(migrated_events, name) for name in ("db_host", "db_port", "db_user", "db_password")},
        db_name="saga_db",
        grpc_port=0,
        **PATIENT,
        event_deadline=30,
        pending_limit=60,
        recovery_interval=0.02,
    )
    create_database(settings)
    migrate(settings, MIGRATIONS)
    return settings


@pytest.fixture
async def system(saga_database: SagaSettings, event_settings: EventSettings, postgres: Part) -> AsyncIterator[System]:
    with connect(postgres.address, saga_database.db_name) as connection:
        connection.execute("TRUNCATE bookings")
    event_settings = event_settings.model_copy(update=PATIENT)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(event_settings))
        event = await PostgresEvents(database).create(NewEvent("Jazz", "concert", SOON, "UTC", "Babylon", 10))
        events = AsyncExitStack()
        stack.push_async_callback(events.aclose)
        server = await events.enter_async_context(event_app(event_settings))
        settings = saga_database.model_copy(update={"event_address": f"127.0.0.1:{server.port}"})
        app = await stack.enter_async_context(saga_app(settings))
        yield System(app, settings, event_settings, str(event.id), events.aclose)


@pytest.fixture
def sql(system: System, postgres: Part) -> psycopg.Connection:
    with connect(postgres.address, system.booking_settings.db_name) as connection:
        yield connection


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what it waits for is in a database
            await asyncio.sleep(0.02)


async def test_a_booking_holds_its_tickets(system: System) -> None:
    assert (await system.book(3)).status is Status.CONFIRMED
    assert system.laws() == []


@pytest.mark.parametrize(("tickets", "event"), [(10, None), (1, str(uuid.UUID(int=7))), (1, "no-uuid")])
async def test_a_refusal_cancels_with_its_reason(
    system: System, sql: psycopg.Connection, tickets: int, event: str | None
) -> None:
    await system.book(3)
    with pytest.raises(TicketsRefused) as refusal:
        await system.bookings.use_cases.create(NewBooking("eve", event or system.event_id, tickets))
    rows = sql.execute("SELECT status, reason FROM bookings WHERE user_id = 'eve'").fetchall()
    assert rows == [("CANCELLED", refusal.value.reason)]
    assert system.laws() == []


async def test_a_cancelled_booking_gives_its_tickets_back(system: System) -> None:
    booking = await system.book(10)
    await system.bookings.use_cases.cancel(booking.id)
    assert (await system.book(10)).status is Status.CONFIRMED
    assert system.laws() == []


async def test_with_the_event_service_away_nothing_is_promised(system: System, sql: psycopg.Connection) -> None:
    await system.stop_events()
    with pytest.raises(EventServiceAway):
        await system.book(1)
    assert sql.execute("SELECT count(*) FROM bookings WHERE status = 'CONFIRMED'").fetchone() == (0,)


async def test_a_booking_left_pending_is_abandoned_and_its_tickets_come_back(
    system: System, sql: psycopg.Connection
) -> None:
    """What a SIGKILL between reserve and confirm leaves: a PENDING row and a live reservation."""
    booking = await system.book(4)
    sql.execute("UPDATE bookings SET status = 'PENDING', created_at = now() - interval '1 hour'")
    await until(lambda: sql.execute("SELECT status FROM bookings").fetchone() == ("CANCELLED",))
    await until(lambda: system.laws() == [])
    assert sql.execute("SELECT reason FROM bookings WHERE id = %s", [booking.id]).fetchone() == ("EXPIRED",)


async def test_recovery_never_cancels_what_is_confirmed(system: System) -> None:
    booking = await system.book(1)
    abandoned = await system.bookings.use_cases.abandon(booking.id, "EXPIRED")
    assert abandoned.status is Status.CONFIRMED
    assert system.laws() == []


async def test_a_hundred_buyers_of_ten_tickets(system: System) -> None:
    answers = await asyncio.gather(*(system.book(1) for _ in range(100)), return_exceptions=True)
    confirmed = [answer for answer in answers if isinstance(answer, Booking)]
    assert len(confirmed) == 10
    assert all(isinstance(answer, Booking | TicketsRefused) for answer in answers)
    await until(lambda: system.laws() == [])


@pytest.mark.parametrize(
    ("damage", "law"),
    [
        ("UPDATE bookings SET ticket_count = 5", "I2"),
        ("DELETE FROM bookings", "I2"),
        ("UPDATE bookings SET status = 'PENDING', settle_at = 'infinity', created_at = '2020-01-01'", "I2"),
    ],
)
async def test_the_check_sees_damage(system: System, sql: psycopg.Connection, damage: str, law: str) -> None:
    await system.book(3)
    sql.execute(damage)
    assert {broken.law for broken in broken_laws(system.booking_settings, system.event_settings)} == {law}


async def test_the_check_sees_an_event_out_of_balance(system: System, event_sql: psycopg.Connection) -> None:
    event_sql.execute("UPDATE events SET available = available - 1")
    (broken,) = broken_laws(system.booking_settings, system.event_settings)
    assert (broken.law, "9 available + 0 reserved, capacity 10" in broken.what) == ("I1", True)


async def test_the_check_sees_each_database_as_of_one_moment(
    system: System, event_sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.book(3)
    first = invariants._unbalanced

    def overtaken(events: psycopg.Connection) -> Iterator[Broken]:
        yield from first(events)
        event_sql.execute("UPDATE reservations SET released_at = now()")

    monkeypatch.setattr(invariants, "_unbalanced", overtaken)
    assert system.laws() == []
    assert system.laws() != []  # by now it is there to be seen


async def test_the_check_misses_an_acknowledged_booking(system: System) -> None:
    gone = uuid.uuid4()
    (broken,) = broken_laws(system.booking_settings, system.event_settings, acknowledged=[gone])
    assert (broken.law, str(gone) in broken.what) == ("I3", True)
