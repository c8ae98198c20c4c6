"""Phase 3's booking service and consumer for one scenario: test builds on empty tables, with a topic of their own."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from messaging.incoming import Incoming
from messaging.topics import make_topics
from metrics_consumer.config import MetricsSettings
from tests.topics import messages_in

from tests.shop import Shop, open_shop
from tests.waiting import until, until_async
from workbook.part import Part, State
from workbook.postgres import connect
from workbook.stack import LocalStack

BOOKING, METRICS = "booking-service", "metrics-consumer"
_TABLES = {
    "booking_db": "bookings, outbox",
    "event_db": "events, reservations",
    "metrics_db": "counted, daily_bookings, event_bookings",
}


@dataclass
class Telling:
    """What runs: `settings` are those of the consumer, `environment` is what another replica needs to take part."""

    shop: Shop
    booking: Part
    metrics: Part
    settings: MetricsSettings
    environment: dict[str, str]

    def messages(self) -> list[Incoming]:
        """What is on Kafka, partition by partition."""
        return messages_in(self.settings.kafka_address, self.settings.bookings_topic)

    def waiting(self) -> int:
        """Messages in the outbox."""
        with connect(self.shop.stack["postgres"].address, "booking_db") as sql:
            return sql.execute("SELECT FROM outbox").rowcount

    async def all_taken(self, group: str = "") -> None:
        """Returns when the consumer, or another group, is done with all that was ever told, rightly or not."""

        async def nothing_left() -> bool:
            left = await asyncio.to_thread(_lag, self.settings, group or self.settings.consumer_group)
            return not self.waiting() and left == 0

        await until_async(nothing_left)


@asynccontextmanager
async def telling(stack: LocalStack, folder: Path, without: str = "") -> AsyncIterator[Telling]:
    """A scenario's system; `without` names a guard to switch off. Failpoints are armed in `folder`."""
    topic = f"bookings-{uuid.uuid4().hex[:8]}"
    environment = {"BOOKINGS_TOPIC": topic, "CONSUMER_GROUP": topic, "FAILPOINTS": str(folder)}
    if without:
        environment["WITHOUT"] = without
    settings = stack.settings_of(METRICS)
    assert isinstance(settings, MetricsSettings)
    settings = settings.model_copy(update={"bookings_topic": topic, "consumer_group": topic})
    _empty(stack)
    await asyncio.to_thread(make_topics, settings)
    starting = (asyncio.to_thread(stack.replica, name, **environment) for name in (BOOKING, METRICS))
    booking, metrics = await asyncio.gather(*starting)
    try:
        async with open_shop(stack, booking.name) as shop:
            yield Telling(shop, booking, metrics, settings, environment)
    finally:
        for part in stack.parts.values():
            if part.name.startswith((BOOKING, METRICS)):
                part.kill()


def dies(part: Part) -> None:
    """Returns when the part has reached its failpoint and is running again."""
    until(lambda: part.state is State.STOPPED)
    part.start()


def _empty(stack: LocalStack) -> None:
    for database, tables in _TABLES.items():
        with connect(stack["postgres"].address, database) as sql:
            sql.execute(f"TRUNCATE {tables} CASCADE")


def _lag(settings: MetricsSettings, group: str) -> int:
    """Messages that the group has not said to be done with."""
    consumer = Consumer({**settings.client("lag"), "group.id": group})
    try:
        known = consumer.list_topics(settings.bookings_topic, 5).topics[settings.bookings_topic].partitions
        asked = [TopicPartition(settings.bookings_topic, number) for number in known]
        ends = [consumer.get_watermark_offsets(each, 5)[1] for each in asked]
        done = [max(0, each.offset) for each in consumer.committed(asked, 5)]
        return sum(ends) - sum(done)
    finally:
        consumer.close()
