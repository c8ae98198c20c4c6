"""Puts dead letters back where they came from, once whatever kept them from being counted is mended.

They carry the message id they had, so one that was counted meanwhile is not counted again. One that is still bad comes
back as a new dead letter; this run does not meet it again.
"""

import asyncio
from collections.abc import Iterator

import structlog
from chassis.settings import CannotStart
from confluent_kafka import Consumer, KafkaException, TopicPartition
from messaging.config import KafkaSettings
from messaging.incoming import Incoming
from messaging.publisher import Outgoing, Publisher

from metrics_consumer.dead_letters import ORIGIN, REDRIVEN, origin

_GROUP = "redrive"  # remembers how far an earlier run came
_PATIENCE = 10  # seconds
_BATCH = 100

log = structlog.get_logger(__name__)


async def redrive(settings: KafkaSettings) -> int:
    """Puts back what is there when it begins; returns how many messages. Raises CannotStart without Kafka."""
    consumer = Consumer(
        {**settings.client(_GROUP), "group.id": _GROUP, "enable.auto.commit": False, "fetch.wait.max.ms": 100}
    )
    publisher = Publisher(settings, _GROUP)
    put_back = 0
    try:
        batches = _batches(consumer, settings.dead_letter_topic)
        while letters := await asyncio.to_thread(lambda: next(batches, None)):
            if not all(await publisher.deliver([_as_it_was(letter, settings.bookings_topic) for letter in letters])):
                raise CannotStart("Kafka did not take all messages back; run it again")
            await asyncio.to_thread(_commit, consumer, letters[-1])
            put_back += len(letters)
    except KafkaException as error:
        raise CannotStart(f"no answer from Kafka at {settings.kafka_address}: {error.args[0].str()}") from error
    finally:
        await asyncio.to_thread(consumer.close)
    log.info("put back", messages=put_back)
    return put_back


def _batches(consumer: Consumer, topic: str) -> Iterator[list[Incoming]]:
    """Dead letters in batches, a partition after the other, from where an earlier run stopped to today's end."""
    known = consumer.list_topics(topic, _PATIENCE).topics[topic].partitions
    for partition in consumer.committed([TopicPartition(topic, number) for number in known], _PATIENCE):
        first, end = consumer.get_watermark_offsets(partition, _PATIENCE)
        at = max(first, partition.offset)  # a partition never redriven has a negative one
        consumer.assign([TopicPartition(topic, partition.partition, at)])
        while at < end:
            taken = consumer.consume(min(_BATCH, end - at), _PATIENCE)
            letters = [Incoming.of(message) for message in taken if message.error() is None]
            if not letters:
                raise CannotStart(f"no answer from Kafka about {topic}")
            at = letters[-1].offset + 1
            yield letters


def _commit(consumer: Consumer, last: Incoming) -> None:
    consumer.commit(offsets=[TopicPartition(last.topic, last.partition, last.offset + 1)], asynchronous=False)


def _as_it_was(letter: Incoming, topic: str) -> Outgoing:
    kept = [(name, value) for name, value in letter.headers if not name.startswith(ORIGIN) and name != REDRIVEN]
    times = 1 + sum(name == REDRIVEN for name, _ in letter.headers)
    headers = [*kept, (REDRIVEN, str(times).encode())]
    return Outgoing(origin(letter.headers, "topic") or topic, letter.key, letter.value, headers)
