"""Of several relays one leads: another takes over from one that is dead or silent, not from one that waits."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import psycopg
import pytest
from booking_outbox import leadership
from booking_outbox import relay as relays
from booking_outbox.config import OutboxSettings
from booking_outbox.relay import Relay
from messaging.publisher import Outgoing, Publisher
from tests.outboxes import Relaying, emptied, put

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
