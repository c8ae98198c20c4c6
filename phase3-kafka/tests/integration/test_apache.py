"""What only the real broker shows: topics as they are asked for, and a group whose members come and go."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from booking_outbox.config import OutboxSettings
from booking_outbox.relay import Relay
from chassis.postgres import Database
from messaging.contract import value_of
from messaging.publisher import Publisher
from messaging.topics import Topic, WrongTopic, make_topics
from metrics_consumer.config import MetricsSettings
from metrics_consumer.consuming import Consuming
from metrics_consumer.dead_letters import DeadLetters
from metrics_consumer.postgres import PostgresCounts
from metrics_consumer.subscription import Subscription
from tests.bookings import created, sent
from tests.outboxes import emptied, waiting
from tests.topics import messages_in, send

from tests.waiting import until_async
from workbook.kafka.choice import kafka_part
from workbook.needs import needs
from workbook.part import Part
from workbook.ports import free_port


@pytest.fixture(scope="module")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    needs("apache-kafka")
    part = kafka_part(tmp_path_factory.mktemp("apache"), free_port(), "apache")
    part.start()
    yield part
    part.stop()


@pytest.fixture
def counting(metrics_settings: MetricsSettings, apache: Part) -> MetricsSettings:
    """The settings of a consumer at Apache Kafka, whose topics are made."""
    settings = metrics_settings.model_copy(update={"kafka_address": apache.address, "consumer_batch": 20})
    make_topics(settings)
    return settings


def test_topics_have_the_partitions_that_were_asked_for(counting: MetricsSettings) -> None:
    wanted = [Topic(counting.bookings_topic, 6), Topic(counting.dead_letter_topic, 1)]
    assert make_topics(counting) == wanted  # they are there: nothing is changed
    with pytest.raises(WrongTopic, match=f"{counting.bookings_topic} has 6 partitions, not 7"):
        make_topics(counting.model_copy(update={"bookings_partitions": 7}))


@asynccontextmanager
async def consumer(settings: MetricsSettings, database: Database) -> AsyncIterator[Consuming]:
    """A member of the group that has its partitions."""

    def subscribe() -> Subscription:
        return Subscription(settings, settings.bookings_topic, settings.consumer_group)

    letters = DeadLetters(Publisher(settings, "test"), settings.dead_letter_topic)
    async with Consuming(subscribe, PostgresCounts(database), letters, batch=settings.consumer_batch) as consuming:
        await until_async(lambda: has_partitions(consuming, 1))
        yield consuming


async def has_partitions(consuming: Consuming, at_least: int) -> bool:
    return consuming.subscription is not None and len(consuming.subscription.lag()) >= at_least


async def test_members_come_and_go_under_load_and_every_message_counts_once(counting: MetricsSettings) -> None:
    number, stop = 0, asyncio.Event()

    async def load() -> None:
        nonlocal number
        while not stop.is_set():
            keys = [uuid.uuid4().bytes for _ in range(20)]
            for key in keys:
                send(counting.kafka_address, counting.bookings_topic, sent(created()), key=key)
            number += len(keys)
            await asyncio.sleep(0)

    async with Database(counting) as database:
        loading = asyncio.create_task(load())
        async with consumer(counting, database) as first:
            async with consumer(counting, database) as second:
                await until_async(lambda: has_partitions(second, 2))
            await until_async(lambda: has_partitions(first, 6))
            stop.set()
            await loading

            async def all_counted() -> bool:
                return (await PostgresCounts(database).totals()).confirmed >= number

            await until_async(all_counted)
        assert number > 0
        assert (await PostgresCounts(database).totals()).confirmed == number


async def test_with_kafka_away_rows_wait_and_all_of_them_arrive_when_it_is_back(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection, apache: Part
) -> None:
    settings = outbox_settings.model_copy(update={"kafka_address": apache.address, "outbox_batch": 50})
    make_topics(settings)
    async with Relay(settings, Publisher(settings, "relay")) as relay:

        async def leads() -> bool:
            return relay.leads

        await until_async(leads)
        apache.kill()
        for _ in range(300):
            event = created()
            outbox_sql.execute(
                "INSERT INTO outbox (booking_id, type, value) VALUES (%s, %s, %s)",
                [event.booking_id, event.TYPE, value_of(event)],
            )
        await asyncio.sleep(1)  # time for a relay that forgets too early to do so
        assert waiting(outbox_sql) == 300
        await asyncio.to_thread(apache.start)
        await emptied(outbox_sql)
    keys = [message.key for message in messages_in(settings.kafka_address, settings.bookings_topic)]
    assert len(keys) == len(set(keys)) == 300
