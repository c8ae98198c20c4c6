"""Of several relays one leads: another takes over from one that is dead or silent, not from one that waits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest
from booking_outbox import leadership
from booking_outbox import relay as relays
from booking_outbox.config import OutboxSettings
from booking_outbox.relay import Relay
from messaging.publisher import Outgoing, Publisher
from pydantic import ValidationError
from tests.outboxes import Relaying, emptied, put
from tests.silent_line import SilentLine

from tests.waiting import until_async


async def test_of_several_one_leads_and_when_it_dies_another_does(
    relaying: Relaying, outbox_sql: psycopg.Connection
) -> None:
    async with AsyncExitStack() as stack:
        several = [await stack.enter_async_context(relaying()) for _ in range(3)]

        async def one_leads() -> bool:
            return [relay.leads for relay in several].count(True) == 1

        await until_async(one_leads)
        first = next(relay for relay in several if relay.leads)
        dead = outbox_sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert dead.rowcount == 1

        async def another_leads() -> bool:
            return not first.leads and await one_leads()

        await until_async(another_leads)
        put(outbox_sql)
        await emptied(outbox_sql)


async def test_a_leader_that_says_nothing_loses_the_lead(
    outbox_settings: OutboxSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "SILENCE", 1)
    async with leadership.leading(outbox_settings) as silent:
        async with asyncio.timeout(60), leadership.leading(outbox_settings):
            pass
        with pytest.raises(psycopg.OperationalError):
            await silent.execute("SELECT")


async def test_a_leader_that_waits_for_kafka_keeps_the_lead(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "SILENCE", 3)
    monkeypatch.setattr(relays, "HEARTBEAT", 0.2)
    holding, hold = asyncio.Event(), asyncio.Event()

    class Holding(Publisher):
        async def deliver(self, messages: Sequence[Outgoing]) -> list[bool]:
            holding.set()
            await hold.wait()
            return [True] * len(messages)

    put(outbox_sql)
    async with Relay(outbox_settings, Holding(outbox_settings, "relay")) as relay:
        await holding.wait()
        await asyncio.sleep(4)  # longer than the silence that would cost it the lead
        assert relay.leads
        hold.set()
        await emptied(outbox_sql)


# One that waits for the lead


@asynccontextmanager
async def standby(settings: OutboxSettings, sql: psycopg.Connection) -> AsyncIterator[tuple[Relay, SilentLine]]:
    """A relay that another one, `sql`, keeps from leading, and its line to PostgreSQL."""
    sql.execute("SELECT pg_advisory_lock(hashtext('booking outbox'))")
    async with SilentLine(settings.db_port).open() as line:
        behind = settings.model_copy(update={"db_port": line.port, "db_statement_timeout": 1})
        async with Relay(behind, Publisher(behind, "relay")) as relay:

            async def waits() -> bool:
                asked = "SELECT FROM pg_stat_activity WHERE application_name = 'outbox relay' AND query LIKE '%try%'"
                return sql.execute(asked).rowcount > 0

            await until_async(waits)
            yield relay, line


async def cut(line: SilentLine) -> None:
    async def loses() -> bool:
        return line.lost > 0

    line.cut = True
    await until_async(loses)


async def test_a_standby_whose_line_was_cut_silently_leads_later(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection
) -> None:
    async with standby(outbox_settings, outbox_sql) as (relay, line):
        await cut(line)
        outbox_sql.execute("SELECT pg_advisory_unlock_all()")
        line.cut = False

        async def leads() -> bool:
            return relay.leads

        await until_async(leads)


@pytest.mark.parametrize("line_is", ["whole", "cut"])
async def test_a_standby_stops_at_once(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, line_is: str
) -> None:
    """It has no batch that it could finish."""
    monkeypatch.setattr(relays, "_LAST_BATCH", 60)
    async with asyncio.timeout(30) as limit:
        async with standby(outbox_settings, outbox_sql) as (_, line):
            if line_is == "cut":
                await cut(line)
            limit.reschedule(asyncio.get_running_loop().time() + 8)  # psycopg alone waits ten for a line that is cut


def test_a_leader_looks_often_enough_to_keep_the_lead() -> None:
    longest = leadership.SILENCE / 2
    assert OutboxSettings(outbox_poll=longest).outbox_poll == longest
    with pytest.raises(ValidationError):
        OutboxSettings(outbox_poll=longest + 1)
