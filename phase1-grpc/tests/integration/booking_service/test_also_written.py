"""What is "also written" with a booking is in the same transaction: both are there, or neither."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from booking_service.domain import Change, NewBooking, Status
from booking_service.postgres import PostgresBookings
from chassis.postgres import Connection, Database

ADA = NewBooking("ada", "concert", 2)
WITH_KEY = NewBooking("ada", "concert", 2, "key")
MADE = (None, "PENDING")
MADE_CONFIRMED_CANCELLED = [MADE, ("PENDING", "CONFIRMED"), ("CONFIRMED", "CANCELLED")]


class Ledger:
    """Writes a row of its own with each change of a booking, and may fail after it."""

    def __init__(self, sql: psycopg.Connection) -> None:
        self.fail = False
        self._sql = sql
        sql.execute("DROP TABLE IF EXISTS ledger")
        sql.execute("CREATE TABLE ledger (booking_id uuid, was text, status text)")
        self.every_status = dict.fromkeys(Status, self.write)

    async def write(self, connection: Connection, changes: Sequence[Change]) -> None:
        for change in changes:
            values = [change.booking.id, change.was, change.booking.status]
            await connection.execute("INSERT INTO ledger VALUES (%s, %s, %s)", values)
        if self.fail:
            raise LookupError

    def rows(self) -> list[tuple[Any, ...]]:
        return self._sql.execute("SELECT booking_id, was, status FROM ledger").fetchall()


@pytest.fixture
def ledger(sql: psycopg.Connection) -> Iterator[Ledger]:
    yield Ledger(sql)
    sql.execute("DROP TABLE ledger")


async def test_what_is_also_written_is_there_with_each_change_and_only_then(database: Database, ledger: Ledger) -> None:
    bookings = PostgresBookings(database, ledger.every_status)
    booking = await bookings.claim(WITH_KEY)
    await bookings.claim(WITH_KEY)
    await bookings.move(booking.id, Status.CONFIRMED)
    await bookings.move(booking.id, Status.CONFIRMED)
    await bookings.move(booking.id, Status.CANCELLED)
    await bookings.move(booking.id, Status.CONFIRMED)
    assert ledger.rows() == [(booking.id, *change) for change in MADE_CONFIRMED_CANCELLED]


async def test_when_it_cannot_be_written_nothing_has_changed(
    database: Database, sql: psycopg.Connection, ledger: Ledger
) -> None:
    bookings = PostgresBookings(database, ledger.every_status)
    booking = await bookings.claim(ADA)
    ledger.fail = True
    with pytest.raises(LookupError):
        await bookings.claim(WITH_KEY)
    with pytest.raises(LookupError):
        await bookings.move(booking.id, Status.CONFIRMED)
    assert await bookings.get(booking.id) == booking
    assert sql.execute("SELECT id FROM bookings").fetchall() == [(booking.id,)]
    assert ledger.rows() == [(booking.id, *MADE)]


async def test_many_at_once_with_one_key_are_written_once(database: Database, ledger: Ledger) -> None:
    bookings = PostgresBookings(database, ledger.every_status)
    claimed = await asyncio.gather(*(bookings.claim(WITH_KEY) for _ in range(50)))
    assert len({booking.id for booking in claimed}) == 1
    assert ledger.rows() == [(claimed[0].id, *MADE)]


async def test_of_racing_moves_only_those_made_are_written(database: Database, ledger: Ledger) -> None:
    bookings = PostgresBookings(database, ledger.every_status)
    booking = await bookings.claim(ADA)
    await asyncio.gather(*(bookings.move(booking.id, target) for target in [*Status] * 5))
    assert ledger.rows() in (
        [(booking.id, *change) for change in MADE_CONFIRMED_CANCELLED],
        [(booking.id, *change) for change in (MADE, ("PENDING", "CANCELLED"))],
    )


async def test_only_the_statuses_asked_for_are_also_written(database: Database, ledger: Ledger) -> None:
    bookings = PostgresBookings(database, {Status.CANCELLED: ledger.write})
    refused, regretted = await bookings.claim(ADA), await bookings.claim(ADA)
    await bookings.move(regretted.id, Status.CONFIRMED)
    for booking in (refused, regretted):
        await bookings.move(booking.id, Status.CANCELLED)
    assert ledger.rows() == [(refused.id, "PENDING", "CANCELLED"), (regretted.id, "CONFIRMED", "CANCELLED")]
