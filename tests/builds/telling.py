"""What phase 3 adds to the test builds: where a message can get lost or doubled, and the guards against it."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from booking_outbox.outbox import Outbox, told
from booking_outbox.relay import Relay, Row
from booking_service.domain import Change
from chassis.postgres import Connection
from chassis.settings import read_settings
from confluent_kafka import Producer
from messaging.config import KafkaSettings
from messaging.contract import HEADERS, headers_of, value_of
from messaging.incoming import Incoming
from metrics_consumer.consuming import Consuming
from metrics_consumer.postgres import PostgresCounts
from metrics_consumer.subscription import Subscription

from tests.builds.failpoints import around, reached

AT_BOOKINGS = ["before write", "after write", "after commit", "before deliver", "after deliver"]
AT_COUNTS = ["before count", "after count"]


def pierce(folder: Path) -> None:
    """Puts a point around each step of a message: written, committed, delivered, counted."""
    around(Outbox, "_write", folder, lambda *_: "write")
    _after_commit(folder / "after commit")
    around(Relay, "_delivered", folder, lambda *_: "deliver")
    around(PostgresCounts, "count", folder, lambda *_: "count")


def _after_commit(point: Path) -> None:
    write = Outbox._write

    async def pierced(self: Outbox, connection: Connection, changes: Sequence[Change]) -> Callable[[], object]:
        committed = await write(self, connection, changes)

        def then() -> None:
            reached(point)
            committed()

        return then

    Outbox._write = pierced  # type: ignore[method-assign]


# Each guard, switched off: what stands instead of it


async def _publish_after_commit(
    _self: Outbox, _connection: Connection, changes: Sequence[Change]
) -> Callable[[], object]:
    """Two writes: the booking's row, and then a message, which nothing remembers in between."""
    settings = read_settings(KafkaSettings)
    producer = _PRODUCERS.setdefault(
        settings.kafka_address, Producer({**settings.client("dual write"), "linger.ms": 0})
    )

    def publish() -> None:
        for event in map(told, changes):
            headers = headers_of(uuid.uuid4(), event.TYPE, "")
            producer.produce(
                settings.bookings_topic, value_of(event).encode(), str(event.booking_id).encode(), headers=headers
            )

    return publish


_PRODUCERS: dict[str, Producer] = {}
_read, _take, _handle = Relay._read, Subscription.take, Consuming.handle
_LAST_SEEN = [0]


async def _behind_the_last_seen(self: Relay, connection: Connection) -> list[Row]:
    rows = [row for row in await _read(self, connection) if row.id > _LAST_SEEN[0]]
    _LAST_SEEN[0] = max([_LAST_SEEN[0], *(row.id for row in rows)])
    return rows


async def _done_when_taken(self: Subscription, most: int) -> list[Incoming]:
    """Not only stored: committed, which a consumer that commits first would wait for."""
    messages = await _take(self, most)
    await self.done(messages)
    if messages:
        await self._in_thread(lambda: self._consumer.commit(asynchronous=False))
    return messages


async def _by_offset(self: Consuming, messages: Sequence[Incoming]) -> None:
    """A message is known by where it stands, whatever id it brings."""
    await _handle(self, [replace(each, headers=_named_by_offset(each)) for each in messages])


def _named_by_offset(message: Incoming) -> list[tuple[str, bytes | None]]:
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{message.topic}/{message.partition}/{message.offset}")
    return [(HEADERS[0], str(name).encode()), *(each for each in message.headers if each[0] != HEADERS[0])]


GUARDS: Mapping[str, tuple[type, str, Any]] = {
    "outbox": (Outbox, "_write", _publish_after_commit),
    "first row left": (Relay, "_read", _behind_the_last_seen),
    "offsets after counting": (Subscription, "take", _done_when_taken),
    "message id": (Consuming, "handle", _by_offset),
}
"""By name: whose method it is, and what it does without the guard."""


def switch_off(guard: str) -> None:
    owner, method, instead = GUARDS[guard]
    setattr(owner, method, instead)
