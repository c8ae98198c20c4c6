"""What stands in Kafka's topics from the moment the checks begin, read beside everyone else: no group is joined.

The roadmap names no topic, so all are read; what is about a booking is known by its user, whom nobody else has.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from checklist.client import fresh
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from workbook.checks.verdict import Wrong

TOPIC, DEAD_LETTERS = "bookings", "bookings.dead-letter"
CREATED, CANCELLED = "BookingCreatedEvent", "BookingCancelledEvent"
HEADERS = ("message-id", "type", "version", "traceparent")
CONTRACT = "an addition to the roadmap, see phase3-kafka/README.md"

_NEW_TOPICS_EVERY = 0.5  # seconds between two looks for topics that were made meanwhile
_LONG_ID = 16  # characters; a shorter one may stand anywhere by chance


@dataclass(frozen=True)
class Message:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, str]

    @cached_property
    def fields(self) -> Mapping[str, Any] | None:
        """The value as a JSON object; None if it is none."""
        try:
            found = json.loads(self.value)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    @property
    def kind(self) -> str:
        """The type it says it is, "" if it says none."""
        return self.headers.get("type", "")

    @property
    def in_contract(self) -> bool:
        """Whether it carries what this workbook adds: then it is held to it."""
        return any(name in self.headers for name in HEADERS)

    @property
    def place(self) -> str:
        return f"{self.topic}, partition {self.partition}, offset {self.offset}"

    def is_about(self, user: str, booking_id: str = "") -> bool:
        known = [booking_id] if len(booking_id) >= _LONG_ID else []
        inside = any(word.encode() in self.value for word in (user, *known))
        return inside or (bool(booking_id) and self.key == booking_id.encode())


class Log:
    """All messages that came since it was opened, in the order in which they were read: `seen`."""

    def __init__(self, address: str, patience: float) -> None:
        self._patience = patience
        self._address = address
        self.consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": fresh("reader"),  # it is never joined, and stores nothing
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
                "topic.metadata.refresh.interval.ms": 1000,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self.seen: list[Message] = []
        self.partitions: dict[str, int] = {}
        self._asked = 0.0
        self._find_topics(from_the_end=True)

    def look(self, seconds: float = 0.05) -> None:
        """Reads what is new; waits so long for a first message."""
        if time.monotonic() - self._asked > _NEW_TOPICS_EVERY:
            self._find_topics()
        if not self.partitions:  # there is nothing to wait at
            time.sleep(seconds)
            return
        self.seen += [_plain(message) for message in self.consumer.consume(500, seconds) if message.error() is None]

    def until(self, holds: Callable[[], object], seconds: float) -> bool:
        """Reads until `holds()` or the time is over; returns whether it holds."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.look()
        return True

    def settle(self, seconds: float) -> None:
        """Reads for so long, for what should not come."""
        self.until(lambda: False, seconds)

    def about(self, user: str, booking_id: str = "", *, dead: bool = False) -> list[Message]:
        """The messages about a booking, oldest first; those among the dead letters only if `dead`."""
        found = (message for message in self.seen if (message.topic == DEAD_LETTERS) == dead)
        return [message for message in found if message.is_about(user, booking_id)]

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Puts messages where they say, whatever their offset; returns them as they are there."""
        producer = Producer({"bootstrap.servers": self._address, "linger.ms": 0, "log_level": 0})
        there: list[Message] = []
        for message in messages:
            producer.produce(
                message.topic,
                message.value,
                message.key,
                message.partition,
                headers=list(message.headers.items()),
                on_delivery=lambda error, at: there.append(_plain(at)) if error is None else None,
            )
        producer.flush(2 * self._patience)
        return there

    def _find_topics(self, *, from_the_end: bool = False) -> None:
        self._asked = time.monotonic()
        try:
            topics = self.consumer.list_topics(timeout=self._patience).topics
        except KafkaException:
            return
        known = {name: len(topic.partitions) for name, topic in topics.items() if not name.startswith("__")}
        new = [
            TopicPartition(name, number, 0)
            for name, count in known.items()
            for number in range(self.partitions.get(name, 0), count)
        ]
        for each in new if from_the_end else ():
            each.offset = self._end_of(each)
        if new:
            self.partitions |= known
            self.consumer.incremental_assign(new)

    def _end_of(self, partition: TopicPartition) -> int:
        try:
            return int(self.consumer.get_watermark_offsets(partition, self._patience)[1])
        except KafkaException as error:
            where = f"partition {partition.partition} of {partition.topic}"
            said = f"Kafka at {self._address} did not say where {where} ends ({error})"
            raise Wrong(said, "read the broker's log: each partition needs a leader that answers") from error


@contextmanager
def opened(address: str, patience: float) -> Iterator[Log]:
    log = Log(address, patience)
    try:
        yield log
    finally:
        log.consumer.close()


def _plain(message: Any) -> Message:
    try:
        headers = {name: (value or b"").decode(errors="replace") for name, value in message.headers() or ()}
    except UnicodeDecodeError:  # a name that is no text
        headers = {}
    place = message.topic(), message.partition(), message.offset()
    return Message(*place, message.key(), message.value() or b"", headers)
