"""What the checks of lesson 2 stand on: races that happen, processes that die, tables that save nobody."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import psycopg
import pytest

from workbook.props.ledger import Ledger
from workbook.props.meeting import Connection, Stage, stage
from workbook.props.refusing_server import call, refusing
from workbook.props.scratch import scratch_events

METHOD = "/event.EventService/ReserveTickets"


@pytest.fixture
async def met() -> AsyncIterator[Stage]:
    async with scratch_events() as where, stage(where) as ready:
        yield ready


async def looks_then_writes(connection: Connection) -> int:
    (seen,) = await (await connection.execute("SELECT available FROM events")).fetchone() or (0,)
    await connection.execute("UPDATE events SET available = %s", [seen - 1])
    return int(seen) - 1


async def counts_down(connection: Connection) -> int:
    done = await connection.execute("UPDATE events SET available = available - 1 RETURNING available")
    return int((await done.fetchone() or (0,))[0])


async def test_two_calls_meet_between_two_statements(met: Stage) -> None:
    event_id = await Ledger(met.watcher).event(10)
    assert await met.meet(2, looks_then_writes, looks_then_writes) == (9, 9)
    assert await Ledger(met.watcher).left(event_id) == 9  # two took one each: the race happened


async def test_a_call_with_fewer_statements_runs_alone(met: Stage) -> None:
    event_id = await Ledger(met.watcher).event(10)
    assert await met.meet(2, counts_down, counts_down) is None
    assert await Ledger(met.watcher).left(event_id) == 9


async def test_two_calls_meet_before_a_commit(met: Stage) -> None:
    await Ledger(met.watcher).event(10)
    assert await met.meet_at_commit(counts_down, counts_down) == (9, 8)
    assert await met.meet_at_commit(looks_then_writes, looks_then_writes) == (7, 7)  # and the control loses one


async def test_a_call_dies_before_its_statement(met: Stage) -> None:
    event_id = await Ledger(met.watcher).event(10)

    async def twice(connection: Connection) -> None:
        await counts_down(connection)
        await counts_down(connection)

    assert await met.dies(2, twice)
    assert await Ledger(met.watcher).left(event_id) == 9
    assert not await met.dies(3, twice)
    assert await Ledger(met.watcher).left(event_id) == 7


async def test_no_check_saves_a_wrong_answer_from_its_number(met: Stage) -> None:
    event_id = await Ledger(met.watcher).event(10, -1)
    assert await Ledger(met.watcher).left(event_id) == -1


async def test_scratch_tables_are_empty_and_go_away() -> None:
    async with scratch_events() as where, await psycopg.AsyncConnection.connect(**where, autocommit=True) as connection:
        counted = await connection.execute("SELECT (SELECT count(*) FROM events), count(*) FROM reservations")
        assert await counted.fetchone() == (0, 0)
    assert await _scratch_schemas(where) == []


async def _scratch_schemas(where: dict[str, Any]) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(**{**where, "options": ""}) as connection:
        found = await connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'scratch%'")
        return await found.fetchall()


async def test_a_refusing_server_counts_what_arrives() -> None:
    async with refusing(grpc.StatusCode.UNAVAILABLE, "{}") as (server, channel):
        for _ in range(3):
            assert (await call(channel, METHOD, 5)).code() is grpc.StatusCode.UNAVAILABLE
        assert server.attempts == {METHOD: 3}


async def test_a_config_that_grpc_refuses_is_said_by_the_call() -> None:
    async with refusing(grpc.StatusCode.UNAVAILABLE, "[]") as (server, channel):
        assert (await call(channel, METHOD, 5)).code() is grpc.StatusCode.INVALID_ARGUMENT
        assert not server.attempts
