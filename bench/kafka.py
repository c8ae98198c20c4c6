"""What phase 3's contenders share: a database and topics that nobody else uses, messages, and what is in a topic."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from booking_outbox.config import OutboxSettings
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it does not say that it exports them
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from messaging.config import KafkaSettings
from messaging.contract import BookingCreatedEvent, headers_of, value_of
from messaging.publisher import Outgoing

from bench.contender import ContenderFailed
from workbook.stack import LocalStack

MESSAGES = 5000  # of a round, for each of its seconds
EVENTS = 1000
_PATIENCE = 30  # seconds


def bench_settings(stack: LocalStack, topic: str) -> OutboxSettings:
    settings = stack.settings_of("booking-service")
    assert isinstance(settings, OutboxSettings)
    return settings.model_copy(update={"db_name": "bench_db", "bookings_topic": topic})


def outgoing(topic: str, count: int) -> list[Outgoing]:
    """So many messages about bookings that were confirmed, of many events."""
    now = datetime.now(UTC)
    events = (
        BookingCreatedEvent(
            booking_id=uuid.uuid4(), user_id="ada", event_id=str(number % EVENTS), ticket_count=2, created_at=now
        )
        for number in range(count)
    )
    return [
        Outgoing(
            topic,
            str(event.booking_id).encode(),
            value_of(event).encode(),
            headers_of(uuid.uuid4(), event.TYPE, ""),
        )
        for event in events
    ]


def stamped_by_the_broker(settings: KafkaSettings) -> None:
    """From now on each message of the topic tells when it came, and not when it was made."""
    admin = AdminClient(settings.client("bench"))
    entry = ConfigEntry("message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, settings.bookings_topic, incremental_configs=[entry])
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(_PATIENCE)


def ends(settings: KafkaSettings) -> Mapping[int, int]:
    """The offset behind the last message, by partition."""
    consumer = _reader(settings)
    try:
        known = consumer.list_topics(settings.bookings_topic, _PATIENCE).topics[settings.bookings_topic].partitions
        found = (TopicPartition(settings.bookings_topic, number) for number in known)
        return {each.partition: consumer.get_watermark_offsets(each, _PATIENCE)[1] for each in found}
    finally:
        consumer.close()


def messages_between(settings: KafkaSettings, first: Mapping[int, int], end: Mapping[int, int]) -> Iterator[Message]:
    """The messages from the one offset of each partition to before the other."""
    consumer = _reader(settings)
    try:
        consumer.assign([TopicPartition(settings.bookings_topic, number, offset) for number, offset in first.items()])
        left = sum(end.values()) - sum(first.values())
        while left > 0:
            taken = consumer.consume(min(left, 1000), _PATIENCE)
            if not taken:
                raise ContenderFailed(f"{left} messages of {settings.bookings_topic} do not come")
            left -= len(taken)
            yield from taken
    finally:
        consumer.close()


def _reader(settings: KafkaSettings) -> Consumer:
    return Consumer({**settings.client("bench"), "group.id": "bench", "enable.auto.commit": False})
