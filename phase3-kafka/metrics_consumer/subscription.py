"""A member of a consumer group: takes messages, and says which are done with. One thread talks to librdkafka."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from messaging.config import KafkaSettings
from messaging.incoming import Incoming

_WAIT = 0.2  # seconds for a first message; the others of a batch are those that are there by then
_PATIENCE = 5  # seconds

log = structlog.get_logger(__name__)
Result = TypeVar("Result")


class Subscription:
    """Takes part in the group inside its `async with` block; leaves it in order, with what is done committed.

    Partitions are given and taken away only while `take` runs: between two of them they stay.
    """

    def __init__(self, settings: KafkaSettings, topic: str, group: str) -> None:
        self._topic = topic
        self._consumer = Consumer(
            {
                **settings.client(group),
                "group.id": group,
                "group.protocol": settings.kafka_group_protocol,
                "auto.offset.reset": "earliest",
                "enable.auto.offset.store": False,  # what is taken is not done
                "auto.commit.interval.ms": 1000,
                "fetch.wait.max.ms": 100,
                **_CLASSIC.get(settings.kafka_group_protocol, {}),
            }
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=group)
        self._done_until: dict[int, int] = {}
        self.joined = False

    async def __aenter__(self) -> Self:
        told = {"on_assign": self._assigned, "on_revoke": self._revoked, "on_lost": self._revoked}
        await self._in_thread(lambda: self._consumer.subscribe([self._topic], **told))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.joined = False
        await self._in_thread(self._consumer.close)
        self._thread.shutdown()

    async def take(self, most: int) -> list[Incoming]:
        """The next messages, in order within a partition; none after a moment without any."""
        return await self._in_thread(lambda: self._take(most))

    async def done(self, messages: Sequence[Incoming]) -> None:
        """They need not come again: the next one to have their partitions begins behind them."""
        ends = {message.partition: message.offset + 1 for message in messages}
        await self._in_thread(lambda: self._store(ends))

    async def again(self, messages: Sequence[Incoming]) -> None:
        """They are taken again."""
        starts = {message.partition: message.offset for message in reversed(messages)}
        await self._in_thread(lambda: self._seek(starts))

    def lag(self) -> dict[int, int]:
        """Messages not done yet, by partition, of the partitions that this member has."""
        return {partition: self._lag(partition, done) for partition, done in sorted(self._done_until.items())}

    def _lag(self, partition: int, done_until: int) -> int:
        try:
            known = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        except (KafkaException, RuntimeError):  # taken away just now, or closed
            return 0
        first, behind_last = known or (0, 0)
        return max(0, behind_last - max(first, done_until))

    def _take(self, most: int) -> list[Incoming]:
        first = self._consumer.poll(_WAIT)
        if first is None:
            return []
        taken = [first, *self._consumer.consume(most - 1, 0)] if most > 1 else [first]
        for message in taken:
            self._look_at(message.error())
        return [Incoming.of(message) for message in taken if message.error() is None]

    def _look_at(self, error: KafkaError | None) -> None:
        if error is None:
            return
        log.warning("from Kafka", error=str(error))
        if error.fatal():
            raise KafkaException(error)

    def _store(self, ends: dict[int, int]) -> None:
        for partition, offset in ends.items():
            try:
                self._consumer.store_offsets(offsets=[TopicPartition(self._topic, partition, offset)])
                self._done_until[partition] = offset
            except KafkaException as error:  # not ours any more: whoever has it takes these messages again
                log.warning("not stored", partition=partition, error=str(error))

    def _seek(self, starts: dict[int, int]) -> None:
        for partition, offset in starts.items():
            try:
                self._consumer.seek(TopicPartition(self._topic, partition, offset))
            except KafkaException as error:  # not ours any more
                log.warning("not taken again", partition=partition, error=str(error))

    def _assigned(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        for each in consumer.committed(given, _PATIENCE):
            self._done_until[each.partition] = max(0, each.offset)
        self.joined = True
        log.info("partitions given", partitions=[each.partition for each in given])

    def _revoked(self, _: Consumer, taken: list[TopicPartition]) -> None:
        for each in taken:
            self._done_until.pop(each.partition, None)
        log.info("partitions taken away", partitions=[each.partition for each in taken])

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


# From Kafka 4 on the brokers lead a group, and these are settings of theirs.
_CLASSIC: dict[str, dict[str, str | int]] = {
    "classic": {
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 2000,
    }
}
