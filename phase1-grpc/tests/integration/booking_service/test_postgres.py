"""Bookings in PostgreSQL: races, transactions, pages, and the indexes that its queries use."""

import asyncio
from collections.abc import Sequence

import psycopg
import pytest
from booking_service import postgres as queries
from booking_service.domain import Booking, Change, NewBooking, Status
from booking_service.postgres import PostgresBookings
from chassis.postgres import Connection, Database
from psycopg.errors import UniqueViolation

from tests.waiting import until_async

ADA = NewBooking("ada", "concert", 2)
WITH_KEY = NewBooking("ada", "concert", 2, "key")


def count(sql: psycopg.Connection) -> int:
    row = sql.execute("SELECT count(*) FROM bookings").fetchone()
    assert row is not None
    return int(row[0])


# Claims


async def test_200_claims_with_one_key_at_once_are_one_booking(
    bookings: PostgresBookings, sql: psycopg.Connection
) -> None:
    claimed = await asyncio.gather(*(bookings.claim(WITH_KEY) for _ in range(200)))
    assert len({booking.id for booking in claimed}) == 1
    assert count(sql) == 1


async def test_without_on_conflict_the_same_claims_fail(
    bookings: PostgresBookings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    monkeypatch.setattr(queries, "CLAIM", without(queries.CLAIM, "ON CONFLICT", "DO NOTHING"))
    claimed = await asyncio.gather(*(bookings.claim(WITH_KEY) for _ in range(20)), return_exceptions=True)
    assert any(isinstance(answer, UniqueViolation) for answer in claimed)


async def test_without_the_index_the_same_claims_are_many_bookings(
    bookings: PostgresBookings, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: looking first and then writing is no lock."""

    async def look_then_write(wish: NewBooking) -> Booking:
        held = await bookings._read(queries.BY_KEY, [wish.user_id, wish.key])
        return held[0] if held else await bookings.claim(wish)

    sql.execute("DROP INDEX bookings_one_per_key")
    try:
        monkeypatch.setattr(queries, "CLAIM", without(queries.CLAIM, "ON CONFLICT", "DO NOTHING"))
        claimed = await asyncio.gather(*(look_then_write(WITH_KEY) for _ in range(20)))
    finally:
        sql.execute("TRUNCATE bookings")
        sql.execute(
            "CREATE UNIQUE INDEX bookings_one_per_key ON bookings (user_id, idempotency_key)"
            " WHERE idempotency_key IS NOT NULL"
        )
    assert len({booking.id for booking in claimed}) > 1


def without(statement: str, start: str, end: str) -> str:
    before, rest = statement.split(start)
    return before + rest.split(end)[1]


async def test_a_claim_waits_for_one_that_is_being_written(database: Database, sql: psycopg.Connection) -> None:
    hold, holding = asyncio.Event(), asyncio.Event()

    async def slowly(_connection: Connection, _changes: Sequence[Change]) -> None:
        holding.set()
        await hold.wait()

    first = asyncio.create_task(PostgresBookings(database, {Status.PENDING: slowly}).claim(WITH_KEY))
    await holding.wait()
    second = asyncio.create_task(PostgresBookings(database).claim(WITH_KEY))
    await until_async(lambda: _someone_waits(sql))
    hold.set()
    assert (await first).id == (await second).id


async def test_a_claim_takes_over_when_the_first_rolls_back(database: Database, sql: psycopg.Connection) -> None:
    hold, holding = asyncio.Event(), asyncio.Event()

    async def fail(_connection: Connection, _changes: Sequence[Change]) -> None:
        holding.set()
        await hold.wait()
        raise LookupError

    first = asyncio.create_task(PostgresBookings(database, {Status.PENDING: fail}).claim(WITH_KEY))
    await holding.wait()
    second = asyncio.create_task(PostgresBookings(database).claim(WITH_KEY))
    await until_async(lambda: _someone_waits(sql))
    hold.set()
    with pytest.raises(LookupError):
        await first
    assert (await second).status is Status.PENDING
    assert count(sql) == 1


async def _someone_waits(sql: psycopg.Connection) -> bool:
    return sql.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount > 0


# Moves


async def race(bookings: PostgresBookings) -> tuple[Booking, list[Booking]]:
    """A booking that is confirmed and cancelled at once; as it is in the end, and as each move saw it."""
    booking = await bookings.claim(ADA)
    moves = [bookings.move(booking.id, target) for target in (Status.CONFIRMED, Status.CANCELLED, Status.CONFIRMED)]
    seen = await asyncio.gather(*moves)
    return await bookings.get(booking.id), seen


def went_backwards(end: Booking, seen: list[Booking]) -> bool:
    """Whether somebody saw the booking cancelled that is not cancelled in the end."""
    return Status.CANCELLED in {booking.status for booking in seen} and end.status is not Status.CANCELLED


async def test_whoever_wins_a_race_no_booking_goes_backwards(bookings: PostgresBookings) -> None:
    ended = await asyncio.gather(*(race(bookings) for _ in range(100)))
    assert not any(went_backwards(end, seen) for end, seen in ended)
    assert {end.status for end, _ in ended} == {Status.CANCELLED}


async def test_without_the_condition_some_booking_does_go_backwards(
    bookings: PostgresBookings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: the same moves, made whatever the status is."""
    monkeypatch.setattr(queries, "MOVE", queries.MOVE.replace("status = ANY(%s)", "%s::text[] IS NOT NULL"))
    ended = await asyncio.gather(*(race(bookings) for _ in range(100)))
    assert any(went_backwards(end, seen) for end, seen in ended)


async def test_the_first_of_many_cancellations_gives_the_reason(
    bookings: PostgresBookings, sql: psycopg.Connection
) -> None:
    booking = await bookings.claim(ADA)
    seen = await asyncio.gather(*(bookings.move(booking.id, Status.CANCELLED, str(number)) for number in range(20)))
    assert len({cancelled.reason for cancelled in seen}) == 1
    assert count(sql) == 1


# Readiness


async def test_it_is_ready_only_with_its_table(bookings: PostgresBookings, sql: psycopg.Connection) -> None:
    await bookings.ready()
    sql.execute("ALTER TABLE bookings RENAME TO hidden")
    try:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await bookings.ready()
    finally:
        sql.execute("ALTER TABLE hidden RENAME TO bookings")


async def test_it_is_not_ready_for_a_table_of_an_older_version(
    bookings: PostgresBookings, sql: psycopg.Connection
) -> None:
    await bookings.ready()
    sql.execute("ALTER TABLE bookings RENAME COLUMN reason TO why")
    try:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            await bookings.ready()
    finally:
        sql.execute("ALTER TABLE bookings RENAME COLUMN why TO reason")
