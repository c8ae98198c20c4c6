"""The metrics consumer at work on a full topic, the same without knowing what it has counted, and a bare consumer."""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from chassis.postgres import Database
from confluent_kafka import Consumer
from messaging.config import KafkaSettings
from messaging.contract import Received
from messaging.publisher import Publisher
from messaging.topics import make_topics
from metrics_consumer import postgres as counting
from metrics_consumer.config import MetricsSettings
from metrics_consumer.consuming import Consuming, Counts
from metrics_consumer.dead_letters import DeadLetters
from metrics_consumer.postgres import PostgresCounts
from metrics_consumer.subscription import Subscription

from bench.contender import ContenderFailed
from bench.figures import Round
from bench.kafka import MESSAGES, outgoing
from workbook.postgres import connect
from workbook.stack import LocalStack

TABLES = "counted, daily_bookings, event_bookings"
_PATIENCE = 60  # seconds
_REMEMBERED = counting.COUNT[counting.COUNT.index("), seen_first AS (") : counting.COUNT.index("), new AS (")]
UNCHECKED = (
    counting.COUNT.replace(_REMEMBERED, "")
    .replace("SELECT DISTINCT ON (message_id) *", "SELECT *")
    .replace("JOIN seen_first USING (message_id)", "")
)
"""The statement without its memory: what comes twice counts twice."""


class UncheckedCounts(PostgresCounts):
    async def count(self, messages: Sequence[Received]) -> int:
        columns = [list(column) for column in zip(*map(counting._row, messages), strict=True)]  # noqa: SLF001 - the same
        async with self._database.connection() as connection:
            await connection.execute(UNCHECKED, columns)
        return len(messages)


class Timed:
    """Passes on what is to be counted, and notes how long it took from the first message to the last."""

    def __init__(self, counts: Counts, messages: int) -> None:
        self._counts = counts
        self._messages = self._left = messages
        self._began: tuple[float, float] | None = None
        self._times: list[float] = []
        self.measured: asyncio.Future[Round] = asyncio.get_running_loop().create_future()

    async def count(self, messages: Sequence[Received]) -> int:
        clock, cpu = time.perf_counter, time.process_time
        batch = clock()
        self._began = self._began or (batch, cpu())
        counted = await self._counts.count(messages)
        self._times.append(clock() - batch)
        self._left -= len(messages)
        if not self._left:
            seconds, used = clock() - self._began[0], cpu() - self._began[1]
            self.measured.set_result(Round(self._messages, seconds, self._times, used))
        return counted


@dataclass(frozen=True, slots=True)
class Counting:
    """The consumer from its first message to the last of a full topic, in this process; its times are of batches."""

    name: str
    stack: LocalStack
    counts: type[PostgresCounts]
    servers: Mapping[str, int]

    def run(self, seconds: float, _in_flight: int) -> Round:
        settings = full_topic(self.stack, seconds)
        with connect(self.stack["postgres"].address, settings.db_name) as sql:
            sql.execute(f"TRUNCATE {TABLES}")
        return asyncio.run(self._run(settings, size(seconds)))

    async def _run(self, settings: MetricsSettings, messages: int) -> Round:
        def subscribe() -> Subscription:
            return Subscription(settings, settings.bookings_topic, f"bench-{uuid.uuid4()}")

        letters = DeadLetters(Publisher(settings, "bench"), settings.dead_letter_topic)
        async with Database(settings) as database:
            counts = Timed(self.counts(database), messages)
            async with Consuming(subscribe, counts, letters, batch=settings.consumer_batch), asyncio.timeout(_PATIENCE):
                return await counts.measured


@dataclass(frozen=True, slots=True)
class BareConsumer:
    """A consumer that does nothing with what it takes."""

    name: str
    stack: LocalStack
    servers: Mapping[str, int] = field(default_factory=dict)

    def run(self, seconds: float, _in_flight: int) -> Round:
        settings = full_topic(self.stack, seconds)
        own = {"group.id": f"bench-{uuid.uuid4()}", "group.protocol": settings.kafka_group_protocol}
        consumer = Consumer({**settings.client("bare"), **own, "auto.offset.reset": "earliest"})
        consumer.subscribe([settings.bookings_topic])
        try:
            return _taken(consumer, size(seconds))
        finally:
            consumer.close()


def _taken(consumer: Consumer, messages: int) -> Round:
    left, times = messages, []
    if consumer.poll(_PATIENCE) is None:
        raise ContenderFailed("nothing comes")
    began, cpu = time.perf_counter(), time.process_time()
    while left > 1:
        batch = time.perf_counter()
        left -= len(consumer.consume(min(left - 1, 500), 1))
        times.append(time.perf_counter() - batch)
    return Round(messages, time.perf_counter() - began, times, time.process_time() - cpu)


def size(seconds: float) -> int:
    """How many messages a round has."""
    return max(1, round(MESSAGES * seconds))


def metrics_settings(stack: LocalStack, topic: str) -> MetricsSettings:
    """Those of a consumer that has a topic and a database of its own."""
    settings = stack.settings_of("metrics-consumer")
    assert isinstance(settings, MetricsSettings)
    return settings.model_copy(update={"db_name": "bench_metrics_db", "bookings_topic": topic})


def full_topic(stack: LocalStack, seconds: float) -> MetricsSettings:
    """Where a topic with the messages of one round is; it is filled when it is first asked for."""
    settings = metrics_settings(stack, f"bench-counted-{size(seconds)}")
    _fill(settings.kafka_address, settings.bookings_topic, size(seconds))
    return settings


@cache
def _fill(address: str, topic: str, messages: int) -> None:
    settings = KafkaSettings(kafka_address=address, bookings_topic=topic)
    make_topics(settings)
    if not all(asyncio.run(Publisher(settings, "bench").deliver(outgoing(topic, messages)))):
        raise ContenderFailed(f"{topic} could not be filled")
