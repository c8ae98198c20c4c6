"""The right consumer, over tables in memory.

What stands in `Tables` outlives a kill, as a database does. No group is joined: the offsets are kept beside the counts.
"""

import json
import threading
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import Producer, TopicPartition
from tests.checklist.right_publisher import CANCELLED, CREATED, TOPIC
from tests.checklist.shown_page import shown_page, text_of

DEAD_LETTERS = f"{TOPIC}.dead-letter"
Fields = Mapping[str, Any]


class Unreadable(Exception):
    pass


@dataclass
class Tables:
    """Sums by name, tickets by event, ids that were counted, and the offset behind what is done, by partition."""

    sums: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    seen: set[Any] = field(default_factory=set)
    offsets: dict[int, int] = field(default_factory=dict)


class Counters:
    """The right one."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._dead = Producer({"bootstrap.servers": broker, "linger.ms": 0, "log_level": 0})
        for topic in (TOPIC, DEAD_LETTERS):
            self._dead.list_topics(topic, 5)  # asking for it makes it, on this broker
        self.tables = Tables()
        self.page = shown_page(self.shown)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._consume, daemon=True)
        self._thread.start()
        self.page.start()

    def kill(self) -> None:
        self.page.kill()
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def handle(self, messages: Sequence[Any]) -> None:
        for message in messages:
            self.take(message)
            self.done(message)

    def take(self, message: Any) -> None:
        """Counts a message, or puts it aside."""
        headers = {name: (value or b"").decode() for name, value in message.headers() or ()}
        try:
            fields = self.read(headers, message.value())
        except Unreadable as error:
            self.bury(message, str(error))
            return
        if fields is not None and self.is_new(message, headers):
            self.count(headers["type"], fields)

    def read(self, headers: Mapping[str, str], value: bytes) -> Fields | None:
        """What it says; None for a type that is not known."""
        if headers["type"] not in {CREATED, CANCELLED}:
            return None
        if headers["version"] != "1":
            raise Unreadable("another version")
        try:
            fields = json.loads(value)
        except ValueError as error:
            raise Unreadable("no JSON") from error
        count = fields.get("ticket_count") if isinstance(fields, dict) else None
        if type(count) is not int or count < 1:
            raise Unreadable("no number of tickets")
        return dict(fields)

    def is_new(self, message: Any, headers: Mapping[str, str]) -> bool:
        known = self.known_as(message, headers)
        new = known not in self.tables.seen
        self.tables.seen.add(known)
        return new

    def known_as(self, message: Any, headers: Mapping[str, str]) -> Any:
        return headers["message-id"]

    def count(self, kind: str, fields: Fields) -> None:
        tickets = int(fields["ticket_count"])
        if kind == CREATED:
            self.booked(fields, tickets)
        elif fields["previous_status"] == "CONFIRMED":
            self.withdrawn(fields, tickets)
        else:
            self.tables.sums["refused"] += 1

    def booked(self, fields: Fields, tickets: int) -> None:
        self.tables.sums.update(confirmed=1, sold=tickets)
        self.tables.events[fields["event_id"]] += tickets

    def withdrawn(self, fields: Fields, tickets: int) -> None:
        self.tables.sums.update(withdrawn=1, returned=tickets)
        self.tables.events[fields["event_id"]] -= tickets

    def bury(self, message: Any, error: str) -> None:
        self.put_aside(message.key(), message.value(), [*message.headers(), *self.note(message, error)])

    def note(self, message: Any, error: str) -> list[tuple[str, bytes]]:
        at = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset(), "error": error}
        return [(f"origin-{name}", str(value).encode()) for name, value in at.items()]

    def put_aside(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self._dead.produce(DEAD_LETTERS, value, key, headers=headers)
        self._dead.poll(0)

    def figures(self) -> dict[str, float]:
        s = self.tables.sums
        return {
            'bookings_total{status="confirmed"}': s["confirmed"],
            'bookings_total{status="cancelled"}': s["withdrawn"] + s["refused"],
            'bookings_cancelled_total{previous_status="confirmed"}': s["withdrawn"],
            "booking_tickets_sold_total": s["sold"],
            "booking_tickets_returned_total": s["returned"],
            'bookings_of_today{status="confirmed"}': s["confirmed"] - s["withdrawn"],
            "tickets_of_today": s["sold"] - s["returned"],
            'consumer_lag_messages{partition="0"}': 0,
            **self.popular(),
        }

    def popular(self) -> dict[str, float]:
        most = sorted(self.tables.events.values(), reverse=True)[:10]
        return {f'popular_event_tickets{{rank="{rank}"}}': count for rank, count in enumerate(most, 1)}

    def shown(self) -> str:
        return text_of(self.figures())

    def start_at(self, partition: int) -> int:
        return self.tables.offsets.get(partition, 0)

    def done(self, message: Any) -> None:
        self.tables.offsets[message.partition()] = message.offset() + 1

    def _consume(self) -> None:
        where = {"bootstrap.servers": self._broker, "group.id": str(uuid.uuid4()), "log_level": 0}
        consumer = KafkaConsumer({**where, "enable.auto.commit": False, "fetch.wait.max.ms": 50})
        known = consumer.list_topics(TOPIC, 5).topics[TOPIC].partitions
        consumer.assign([TopicPartition(TOPIC, number, self.start_at(number)) for number in known])
        while not self._stopped.is_set():
            self.handle([message for message in consumer.consume(100, 0.05) if message.error() is None])
        consumer.close()
