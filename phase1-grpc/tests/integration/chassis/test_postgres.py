"""The pool over a real PostgreSQL that is busy, restarted, killed, paused or away: it answers in time and mends."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from booking_service.config import BookingSettings
from chassis import deadlines
from chassis.migrations import create_database
from chassis.postgres import Database, DatabaseUnavailable
from structlog.testing import capture_logs

from tests.waiting import until_async
from workbook.part import Part, State

INSERT = "INSERT INTO bookings (id, user_id, event_id, ticket_count) VALUES (gen_random_uuid(), 'ada', 'concert', 1)"


@pytest.fixture
def server(postgres: Part) -> Iterator[Part]:
    """PostgreSQL for tests that break it; it runs again after them."""
    yield postgres
    if postgres.state is State.PAUSED:
        postgres.resume()
    postgres.start()


@pytest.fixture
def settings(settings: BookingSettings) -> BookingSettings:
    """Two connections and short limits."""
    return settings.model_copy(update={"db_pool_size": 2, "db_statement_timeout": 0.5, "db_lock_timeout": 0.2})


@pytest.fixture
async def database(settings: BookingSettings) -> AsyncIterator[Database]:
    async with Database(settings) as database:
        await until_async(lambda: whole(database))
        yield database


async def value(database: Database, query: str = "SELECT 1") -> Any:
    async with database.connection() as connection:
        row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row[0]


async def works(database: Database) -> bool:
    with contextlib.suppress(DatabaseUnavailable):
        return bool(await value(database) == 1)
    return False


async def whole(database: Database) -> bool:
    stats = database._pool.get_stats()
    return stats["pool_size"] == stats["pool_available"] == 2


def bookings(sql: psycopg.Connection) -> int:
    row = sql.execute("SELECT count(*) FROM bookings").fetchone()
    assert row is not None
    return int(row[0])


async def refused(database: Database, query: str = "SELECT 1") -> float:
    """Seconds until the database is said to be unavailable."""
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await value(database, query)
    return time.monotonic() - began


# Using it


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
    async with Database(settings.model_copy(update={"db_pool_size": 1})) as database:
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


# Away


async def test_after_a_restart_at_most_the_connections_in_use_fail(database: Database, server: Part) -> None:
    await asyncio.to_thread(server.restart)
    came_through = [await works(database) for _ in range(10)]
    assert came_through.count(False) <= 1
    assert all(came_through[1:])


async def test_without_renewal_each_idle_connection_fails_a_caller(
    database: Database, server: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: this is what the pool does by itself."""
    monkeypatch.setattr(database, "_renewed_at", float("inf"))
    await asyncio.to_thread(server.restart)
    assert [await works(database) for _ in range(2)] == [False, False]


async def test_a_server_killed_under_a_statement_is_an_outage_and_comes_back(
    settings: BookingSettings, server: Part
) -> None:
    patient = settings.model_copy(update={"db_statement_timeout": 60})
    async with Database(patient) as database:
        await until_async(lambda: works(database))
        calls = [asyncio.create_task(refused(database, "SELECT pg_sleep(60)")) for _ in range(2)]
        await until_async(lambda: _sleepers(server, 2))
        await asyncio.to_thread(server.kill)
        assert max(await asyncio.gather(*calls)) < 30
        await asyncio.to_thread(server.start)
        await until_async(lambda: works(database))


async def _sleepers(server: Part, expected: int) -> bool:
    host, port = server.address.split(":")
    info = {"host": host, "port": port, "user": "postgres", "password": "1234", "dbname": "postgres"}
    async with await psycopg.AsyncConnection.connect(**info) as connection:  # type: ignore[arg-type]
        running = "SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
        return (await connection.execute(running)).rowcount == expected


async def test_one_connection_that_is_cut_does_not_disturb_the_calls_of_others(
    database: Database, sql: psycopg.Connection
) -> None:
    async with database.transaction() as connection:
        await connection.execute(INSERT)
        cut = asyncio.create_task(works_with_own_cut(database))
        assert await cut is False
        await connection.execute(INSERT)
    assert bookings(sql) == 2
    assert await works(database)


async def works_with_own_cut(database: Database) -> bool:
    with contextlib.suppress(DatabaseUnavailable):
        await value(database, "SELECT pg_terminate_backend(pg_backend_pid())")
        return True
    return False


async def test_after_a_longer_outage_it_is_back_soon(database: Database, server: Part) -> None:
    """Psycopg's pool by itself doubles its pauses: after an outage of 4 s it would try again at 7 s."""
    await asyncio.to_thread(server.kill)
    gone_at = time.monotonic()
    while time.monotonic() - gone_at < 4:
        assert not await works(database)
    await asyncio.to_thread(server.start)
    back_at = time.monotonic()
    await until_async(lambda: works(database))
    assert time.monotonic() - back_at < 2


async def test_a_database_that_comes_later_is_found(not_there: BookingSettings) -> None:
    async with Database(not_there.model_copy(update={"db_lock_timeout": 0.2})) as database:
        assert not await works(database)
        await asyncio.to_thread(create_database, not_there)
        await until_async(lambda: works(database))


async def test_a_paused_server_is_an_outage_and_goes_on_where_it_was(database: Database, server: Part) -> None:
    database._longest = 0.3
    server.pause()
    assert await refused(database) < 20
    server.resume()
    await until_async(lambda: works(database))


async def test_without_hanging_up_a_paused_server_would_be_waited_for(database: Database, server: Part) -> None:
    """The test above can fail: PostgreSQL's own limit of 0.5 s does not count while it is paused."""
    database._longest = 3600
    server.pause()
    call = asyncio.create_task(works(database))
    done, _ = await asyncio.wait([call], timeout=1.5)
    assert not done
    server.resume()
    await call


async def test_all_connections_of_the_pool_return_after_an_outage(database: Database, server: Part) -> None:
    await asyncio.to_thread(server.kill)
    assert not await works(database)
    await asyncio.to_thread(server.start)
    await until_async(lambda: works(database))
    await until_async(lambda: whole(database))


@pytest.mark.parametrize("outage", ["kill", "pause"])
async def test_it_closes_in_time_during_an_outage(settings: BookingSettings, server: Part, outage: str) -> None:
    began = time.monotonic()
    async with Database(settings) as database:
        await until_async(lambda: works(database))
        await asyncio.to_thread(getattr(server, outage))
        database._longest = 0.3
        assert not await works(database)
    assert time.monotonic() - began < 20


def test_paused_means_that_open_connections_do_not_answer_either(sql: psycopg.Connection, server: Part) -> None:
    server.pause()
    with ThreadPoolExecutor(1) as at_once:
        answer = at_once.submit(sql.execute, "SELECT 1")
        try:
            with pytest.raises(TimeoutError):
                answer.result(timeout=0.3)
        finally:
            server.resume()
    assert answer.result().fetchone() == (1,)
