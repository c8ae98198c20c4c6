"""Sends messages to Kafka and says which of them are safely there: `produce()` returning means nothing yet."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from messaging.config import KafkaSettings
from messaging.contract import Headers

_SLICE = 0.1  # seconds between two looks at whether the caller has given up

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent. Messages with one key go to one partition, and stay in order there."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class Publisher:
    """One producer of librdkafka, bridged to asyncio a batch at a time.

    The producer is idempotent: what it sends again by itself arrives once. It never gives a message up by itself:
    while Kafka is away it goes on trying, and whoever cancels `deliver` takes the messages back.
    """

    def __init__(self, settings: KafkaSettings, name: str, **options: str | float) -> None:
        self._options: dict[str, str | int | float | bool] = {
            **settings.client(name),
            "enable.idempotence": True,
            "linger.ms": 2,  # a batch comes at once: long enough for it to become one request a partition
            "message.timeout.ms": 0,
            "retry.backoff.max.ms": 1000,
            "partitioner": "murmur2_random",  # Java's: producers in every language put a key on the same partition
            **options,
        }
        self._producer: Producer | None = None

    async def deliver(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Of each message, whether it is safely at Kafka; returns when that is known of all."""
        given_up = threading.Event()
        delivering = asyncio.ensure_future(asyncio.to_thread(self._deliver, messages, given_up))
        try:
            return await asyncio.shield(delivering)
        except asyncio.CancelledError:
            given_up.set()
            await asyncio.wait([delivering])  # a moment: else it would take back what the next call has sent
            raise

    def _deliver(self, messages: Sequence[Outgoing], given_up: threading.Event) -> list[bool]:
        producer = self._producer or Producer(self._options)
        self._producer = producer
        batch = _Batch(len(messages))
        for number, message in enumerate(messages):
            batch.produce(producer, number, message, given_up)
        while batch.waiting and not given_up.is_set():
            producer.poll(_SLICE)
        if given_up.is_set():
            producer.purge()  # goes on behind our back, and would take what is sent next by this producer, too
            self._producer = None
        elif batch.problem is not None:
            failed = batch.delivered.count(False)
            log.warning("not all delivered", messages=len(messages), failed=failed, error=batch.problem)
        if batch.fatal:  # this producer will never send anything again
            self._producer = None
        return batch.delivered


class _Batch:
    """What is known of the messages that were handed to librdkafka together."""

    def __init__(self, size: int) -> None:
        self.delivered = [False] * size
        self.waiting = 0
        self.fatal = False
        self.problem: str | None = None

    def produce(self, producer: Producer, number: int, message: Outgoing, given_up: threading.Event) -> None:
        def told(error: KafkaError | None, _: object) -> None:
            self.waiting -= 1
            self.delivered[number] = error is None
            if error is not None:
                self._failed(error)

        while not given_up.is_set():
            try:
                producer.produce(
                    message.topic, message.value, message.key, headers=[*message.headers], on_delivery=told
                )
            except BufferError:  # librdkafka's queue is full: let it send first
                producer.poll(_SLICE)
            except KafkaException as error:
                self._failed(error.args[0])
                return
            else:
                self.waiting += 1
                return

    def _failed(self, error: KafkaError) -> None:
        self.fatal = self.fatal or error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001 - its public name
        self.problem = error.str()
