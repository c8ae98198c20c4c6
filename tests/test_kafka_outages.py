"""Phase 3 at work on Apache Kafka while broker, database or consumers go and come: the counts are the bookings'.

KAFKA_AWAY is how many seconds Kafka stays away, besides those that it takes to come back; with --log-cli-level=INFO the
rates are told.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from tests.poison import POISON
from tests.topics import header, messages_in, send

from tests.crowd import crowd, expected
from tests.shop import AWAY
from tests.telling import METRICS, Telling, telling
from workbook.needs import needs
from workbook.postgres import connect
from workbook.stack import LocalStack

KAFKA_AWAY = float(os.environ.get("KAFKA_AWAY", "3"))
REST = 0.1  # seconds that a buyer rests between two wishes: a steady crowd, on fast machines and slow ones
log = logging.getLogger(__name__)

CREATED, CANCELLED = "BookingCreatedEvent", "BookingCancelledEvent"

# Messages in the outbox, and messages that the bookings have given so far: one, or two for one confirmed and cancelled.
BACKLOG = """
SELECT (SELECT count(*) FROM outbox), count(*) FILTER (WHERE status = 'CONFIRMED')
    + count(*) FILTER (WHERE status = 'CANCELLED' AND reason = 'SOLD_OUT')
    + 2 * count(*) FILTER (WHERE status = 'CANCELLED' AND reason <> 'SOLD_OUT')
FROM bookings
"""


@pytest.fixture
async def system(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Telling]:
    needs("apache-kafka")
    stack: LocalStack = request.getfixturevalue("kafka_stack")
    async with telling(stack, tmp_path) as system:
        yield system


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that wait in the outbox, and that there were ever, at a moment."""

    waiting: int
    ever: int
    at: float


def backlog(sql: psycopg.Connection) -> Backlog:
    waiting, ever = sql.execute(BACKLOG).fetchone() or (0, 0)
    return Backlog(int(waiting), int(ever), time.monotonic())


async def drained(sql: psycopg.Connection) -> float:
    """Messages a second that leave the outbox, from the first one that does until none waits."""
    began = now = backlog(sql)
    while now.waiting > 0:
        await asyncio.sleep(0.01)
        now = backlog(sql)
        if now.waiting >= began.waiting:  # Kafka is not quite back
            began = now
    return (began.waiting + now.ever - began.ever) / (now.at - began.at)


def in_order(system: Telling) -> bool:
    """Whether each booking is told of in order, however often."""
    told: dict[bytes | None, list[str]] = {}
    for message in system.messages():
        told.setdefault(message.key, []).append(header(message, "type"))
    return {tuple(dict.fromkeys(types)) for types in told.values()} <= {(CREATED,), (CANCELLED,), (CREATED, CANCELLED)}


async def test_with_kafka_away_bookings_go_on_and_all_of_them_are_told_when_it_is_back(
    system: Telling,
) -> None:
    kafka = system.shop.stack["kafka"]
    with connect(system.shop.stack["postgres"].address, "booking_db") as sql:
        async with crowd(system.shop, REST) as buyers:
            await buyers.goes_on()
            await asyncio.to_thread(kafka.kill)
            await buyers.goes_on()  # what was confirmed until then is forgotten
            before = backlog(sql)
            await asyncio.sleep(KAFKA_AWAY)
            await buyers.goes_on()
            during = backlog(sql)
            draining = asyncio.create_task(drained(sql))  # who looks later may see an outbox that is empty again
            await asyncio.to_thread(kafka.start)
            drain = await draining
            await buyers.goes_on()
    assert during.waiting - before.waiting == during.ever - before.ever > 0
    assert (system.shop.problems, expected(buyers.heard)) == ({}, True)
    await system.shop.comes_to_rest()
    assert in_order(system)
    arrival = (during.ever - before.ever) / (during.at - before.at)
    log.info("away for %.0f s and more: %.0f messages/s; after that %.0f/s", during.at - before.at, arrival, drain)
    assert drain >= 5 * arrival


async def test_postgres_killed_in_the_middle_costs_no_count(system: Telling) -> None:
    postgres = system.shop.stack["postgres"]
    async with crowd(system.shop, REST) as buyers:
        for _ in range(2):
            await buyers.goes_on()
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)
        await buyers.goes_on()
    assert set(system.shop.problems) <= AWAY
    assert expected(buyers.heard)
    await system.shop.comes_to_rest()
    assert in_order(system)


async def test_consumers_join_leave_and_are_killed_under_load(system: Telling) -> None:
    async with crowd(system.shop, REST) as buyers:
        await buyers.goes_on()
        second = await asyncio.to_thread(system.shop.stack.replica, METRICS, **system.environment)
        await buyers.goes_on()
        await asyncio.to_thread(system.metrics.kill)
        await buyers.goes_on()
        await asyncio.to_thread(system.metrics.start)
        await asyncio.to_thread(second.stop)
        await buyers.goes_on()
    await system.shop.comes_to_rest()


async def test_poison_is_put_aside_and_the_whole_topic_replayed_three_times_changes_no_count(system: Telling) -> None:
    broker, topic = system.settings.kafka_address, system.settings.bookings_topic
    async with crowd(system.shop, REST) as buyers:
        await buyers.goes_on()
        await asyncio.to_thread(send, broker, topic, *POISON.values())
        await buyers.goes_on()
    await system.shop.comes_to_rest()
    await system.all_taken()
    groups = [f"replay-{number}-{topic}" for number in range(3)]
    for group in groups:  # another group begins at the first message
        await asyncio.to_thread(system.shop.stack.replica, METRICS, **{**system.environment, "CONSUMER_GROUP": group})
    for group in groups:
        await system.all_taken(group)
    assert await system.shop.laws() == []
    letters = messages_in(broker, system.settings.dead_letter_topic)
    assert Counter(letter.value for letter in letters) == Counter(value for value, _ in [*POISON.values()] * 4)
