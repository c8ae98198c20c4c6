"""Delivery is what Kafka has confirmed: with little room, with Kafka away, and when the caller gives up."""

import asyncio
import time
import uuid

import pytest
from confluent_kafka import Producer
from messaging.config import KafkaSettings
from messaging.publisher import Outgoing, Publisher
from tests.topics import messages_in

from workbook.ports import free_port


@pytest.fixture
def settings(broker: str, topic: str) -> KafkaSettings:
    return KafkaSettings(kafka_address=broker, bookings_topic=topic)


def messages(topic: str, number: int) -> list[Outgoing]:
    return [Outgoing(topic, str(each).encode(), b"value", [("n", str(each).encode())]) for each in range(number)]


async def test_what_is_delivered_is_there(settings: KafkaSettings) -> None:
    sent = messages(settings.bookings_topic, 100)
    assert await Publisher(settings, "test").deliver(sent) == [True] * 100
    there = messages_in(settings.kafka_address, settings.bookings_topic)
    assert {(each.key, each.value) for each in there} == {(each.key, each.value) for each in sent}


async def test_one_key_stays_in_order(settings: KafkaSettings) -> None:
    sent = [Outgoing(settings.bookings_topic, b"key", str(each).encode(), ()) for each in range(1000)]
    await Publisher(settings, "test").deliver(sent)
    assert [each.value for each in messages_in(settings.kafka_address, settings.bookings_topic)] == [
        each.value for each in sent
    ]


async def test_more_than_there_is_room_for_is_sent_bit_by_bit(settings: KafkaSettings) -> None:
    little = Publisher(settings, "test", **{"queue.buffering.max.messages": 10})
    assert await little.deliver(messages(settings.bookings_topic, 200)) == [True] * 200


def test_a_producer_alone_would_have_refused_them(settings: KafkaSettings) -> None:
    """The test above can fail."""
    little = Producer({"bootstrap.servers": settings.kafka_address, "queue.buffering.max.messages": 10})
    for _ in range(10):
        little.produce(settings.bookings_topic, b"value")
    with pytest.raises(BufferError):
        little.produce(settings.bookings_topic, b"value")
    little.purge()


async def test_what_can_never_be_sent_is_told_and_the_others_arrive(settings: KafkaSettings) -> None:
    large = Outgoing(settings.bookings_topic, b"key", bytes(2_000_000), ())
    few = messages(settings.bookings_topic, 3)
    assert await Publisher(settings, "test").deliver([few[0], large, *few[1:]]) == [True, False, True, True]


@pytest.fixture
def nowhere() -> KafkaSettings:
    return KafkaSettings(kafka_address=f"127.0.0.1:{free_port()}", bookings_topic=f"t-{uuid.uuid4().hex}")


async def test_with_kafka_away_it_tries_on_and_whoever_gives_up_is_free_at_once(nowhere: KafkaSettings) -> None:
    delivering = asyncio.create_task(Publisher(nowhere, "test").deliver(messages(nowhere.bookings_topic, 10)))
    assert not (await asyncio.wait([delivering], timeout=1))[0]
    began = time.monotonic()
    delivering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("patience", [0.005, 0.02, 0.04, 0.08])
async def test_a_publisher_that_was_given_up_on_can_be_used_again(settings: KafkaSettings, patience: float) -> None:
    """Whatever is on its way when somebody gives up, nothing of what is sent later goes with it."""
    publisher = Publisher(settings, "test")
    delivering = asyncio.create_task(publisher.deliver(messages(settings.bookings_topic, 3000)))
    await asyncio.wait([delivering], timeout=patience)
    delivering.cancel()
    await asyncio.wait([delivering])
    assert await publisher.deliver(messages(settings.bookings_topic, 2)) == [True, True]


async def test_what_was_given_up_before_it_was_sent_does_not_come(settings: KafkaSettings) -> None:
    publisher = Publisher(settings, "test", **{"linger.ms": 2000})  # so that nothing is sent meanwhile
    delivering = asyncio.create_task(publisher.deliver(messages(settings.bookings_topic, 3)))
    await asyncio.wait([delivering], timeout=0.1)
    delivering.cancel()
    await asyncio.wait([delivering])
    assert await publisher.deliver(messages(settings.bookings_topic, 2)) == [True, True]
    assert len(messages_in(settings.kafka_address, settings.bookings_topic)) == 2
