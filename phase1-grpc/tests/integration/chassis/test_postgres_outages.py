"""The pool over a PostgreSQL that is restarted, killed, paused, away or takes no writes: it mends itself, in time."""

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from booking_service.config import BookingSettings
from chassis.migrations import create_database
from chassis.postgres import Database, DatabaseUnavailable
from tests.pools import INSERT, bookings, refused, value, whole, works

from tests.waiting import until_async
from workbook.part import Part


async def test_after_a_restart_at_most_the_connections_in_use_fail(database: Database, server: Part) -> None:
    database._patience = 10  # asked is how many calls fail, and a busy machine connects again slowly
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


async def test_whoever_asks_makes_it_try_again_however_long_the_outage(database: Database, server: Part) -> None:
    """By itself psycopg's pool doubles its pauses: at this point it would not try again before 3 s."""
    await asyncio.to_thread(server.kill)
    gone_at = time.monotonic()
    while time.monotonic() - gone_at < 1.5:
        assert not await works(database)
    tried = database._pool.get_stats()["connections_num"]
    assert not await works(database)
    assert database._pool.get_stats()["connections_num"] > tried
    await asyncio.to_thread(server.start)
    await until_async(lambda: works(database))


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


# Sessions that take no more writes, or are gone: psycopg counts these as errors of the program


async def test_a_session_that_was_ended_while_it_slept_in_a_transaction_is_an_outage(
    settings: BookingSettings, sql: psycopg.Connection
) -> None:
    async def sleep_in_a_transaction(database: Database) -> None:
        async with database.transaction() as connection:
            await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 50")
            await connection.execute(INSERT)
            pid = connection.info.backend_pid
            await until_async(lambda: _is_gone(sql, pid))
            await connection.execute(INSERT)

    async with Database(settings) as database:
        with pytest.raises(DatabaseUnavailable):
            await sleep_in_a_transaction(database)
        await until_async(lambda: works(database))
        assert bookings(sql) == 0


async def _is_gone(sql: psycopg.Connection, pid: int) -> bool:
    return not sql.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]).rowcount


async def test_a_server_that_takes_no_writes_is_an_outage(database: Database) -> None:
    """As a standby does, before it is promoted."""

    async def write() -> None:
        async with database.transaction() as connection:
            await connection.execute("SET TRANSACTION READ ONLY")
            await connection.execute(INSERT)

    with pytest.raises(DatabaseUnavailable):
        await write()
    assert await works(database)
