"""The pool in use: transactions, limits, and callers who must wait or give up."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from booking_service.config import BookingSettings
from chassis import deadlines
from chassis.postgres import Database, DatabaseUnavailable
from psycopg.rows import TupleRow
from structlog.testing import capture_logs
from tests.pools import INSERT, bookings, refused, value, works

from tests.waiting import until_async
from workbook.postgres import connect


async def test_a_statement_is_a_transaction_of_its_own(database: Database, sql: psycopg.Connection) -> None:
    async with database.connection() as connection:
        await connection.execute(INSERT)
        assert bookings(sql) == 1


async def test_a_transaction_is_committed_at_its_end(database: Database, sql: psycopg.Connection) -> None:
    async with database.transaction() as connection:
        await connection.execute(INSERT)
        assert bookings(sql) == 0
    assert bookings(sql) == 1


async def test_a_transaction_that_fails_leaves_nothing(database: Database, sql: psycopg.Connection) -> None:
    async def fail_half_way() -> None:
        async with database.transaction() as connection:
            await connection.execute(INSERT)
            raise LookupError

    with pytest.raises(LookupError):
        await fail_half_way()
    assert bookings(sql) == 0
    assert await works(database)


async def test_a_call_cancelled_in_a_transaction_leaves_nothing(
    settings: BookingSettings, sql: psycopg.Connection
) -> None:
    # PostgreSQL passes over a cancellation that comes before its statement: the limit then ends the statement.
    patient = settings.model_copy(update={"db_pool_size": 1, "db_lock_timeout": 60, "db_statement_timeout": 2})
    async with Database(patient) as database:
        written = asyncio.Event()

        async def write_and_wait() -> None:
            async with database.transaction() as connection:
                await connection.execute(INSERT)
                written.set()
                await connection.execute("SELECT pg_sleep(60)")

        call = asyncio.create_task(write_and_wait())
        await written.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await works(database)  # the only connection is back
        assert bookings(sql) == 0


async def test_a_wrong_row_or_statement_is_no_outage(database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await value(database, INSERT.replace("'ada'", "'no name'"))
    with pytest.raises(psycopg.errors.UndefinedTable):
        await value(database, "SELECT 1 FROM no_such_table")
    assert await works(database)


async def test_the_reason_is_in_the_log_and_not_in_the_answer(database: Database) -> None:
    with capture_logs() as logs, pytest.raises(DatabaseUnavailable) as unavailable:
        await value(database, "SELECT pg_sleep(60)")
    assert unavailable.value.reason == "DATABASE_UNAVAILABLE"
    assert str(unavailable.value) == "the database does not answer; try again"
    assert ["statement timeout" in line["error"] for line in logs if line["event"] == "database unavailable"] == [True]


async def test_connections_may_be_of_another_class(settings: BookingSettings) -> None:
    seen: list[Any] = []

    class Seeing(psycopg.AsyncConnection[TupleRow]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> psycopg.AsyncCursor[TupleRow]:
            seen.append(query)
            return await super().execute(query, params, **options)

    patient = settings.model_copy(update={"db_lock_timeout": 60, "db_statement_timeout": 60})
    async with Database(patient, Seeing) as database:
        assert await value(database, "SELECT 7") == 7
    assert seen == ["SELECT 7"]


async def test_moments_come_in_utc_wherever_the_server_stands(
    settings: BookingSettings, sql: psycopg.Connection
) -> None:
    """Elsewhere the last hours of the year 9999 are in the year 10000, which Python does not have."""
    last_hour = "SELECT TIMESTAMPTZ '9999-12-31 23:00Z'"
    sql.execute(f"ALTER DATABASE {settings.db_name} SET TimeZone TO 'Europe/Istanbul'")
    try:
        with pytest.raises(psycopg.DataError), connect(server_of(settings), settings.db_name) as elsewhere:
            elsewhere.execute(last_hour).fetchone()  # the negative control
        async with Database(settings) as database:
            assert await value(database, last_hour) == datetime(9999, 12, 31, 23, tzinfo=UTC)
    finally:
        sql.execute(f"ALTER DATABASE {settings.db_name} RESET TimeZone")


def server_of(settings: BookingSettings) -> str:
    return f"{settings.db_host}:{settings.db_port}"


async def test_the_pool_tells_how_it_is_used(database: Database) -> None:
    before = database.usage()
    async with database.connection():
        during = database.usage()
    assert (before["pool_size"], before["pool_available"], during["pool_available"]) == (2, 2, 1)
    assert during["requests_num"] == before.get("requests_num", 0) + 1


# Busy


async def test_a_statement_that_takes_too_long_is_ended_and_its_connection_kept(database: Database) -> None:
    pid = {await value(database, "SELECT pg_backend_pid()") for _ in range(4)}
    assert await refused(database, "SELECT pg_sleep(60)") < 20
    assert {await value(database, "SELECT pg_backend_pid()") for _ in range(4)} <= pid


async def test_a_row_that_somebody_holds_is_not_waited_for_forever(database: Database, sql: psycopg.Connection) -> None:
    with sql.transaction():
        sql.execute("LOCK TABLE bookings")
        assert await refused(database, INSERT) < 20
    await value(database, f"{INSERT} RETURNING 1")
    assert bookings(sql) == 1


async def test_when_all_connections_are_in_use_callers_are_refused_in_time(database: Database) -> None:
    async with database.connection(), database.connection():
        assert 0.1 < await refused(database) < 20
    assert await works(database)


async def test_a_caller_with_less_time_is_told_before_its_deadline(settings: BookingSettings) -> None:
    patient = settings.model_copy(update={"db_lock_timeout": 60, "db_statement_timeout": 60})

    async def call(database: Database) -> float:
        deadlines._ends_at.set(asyncio.get_running_loop().time() + 1)
        await refused(database)
        left = deadlines.remaining()
        assert left is not None
        return left

    async with Database(patient) as database, database.connection(), database.connection():
        assert await asyncio.create_task(call(database)) > 0


async def test_a_queue_that_is_too_long_is_refused_at_once(settings: BookingSettings) -> None:
    patient = settings.model_copy(update={"db_pool_size": 1, "db_lock_timeout": 60, "db_statement_timeout": 60})
    async with Database(patient) as database, asyncio.TaskGroup() as group:
        async with database.connection():
            waiting = [group.create_task(works(database)) for _ in range(50)]
            await until_async(lambda: _queue_is_full(database))
            assert await refused(database) < 20
        assert all([await call for call in waiting])


async def _queue_is_full(database: Database) -> bool:
    return database._pool.get_stats()["requests_waiting"] == 50


async def test_callers_who_give_up_while_they_wait_take_no_connection_with_them(database: Database) -> None:
    for _ in range(10):
        async with database.connection(), database.connection():
            waiting = [asyncio.create_task(works(database)) for _ in range(4)]
            await asyncio.sleep(0)
            for call in waiting:
                call.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    async with database.connection(), database.connection():
        pass  # both are still there
