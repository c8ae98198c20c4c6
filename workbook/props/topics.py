"""Topics of a lesson's own: made, written to, read from the first message to the last."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

PARTITIONS = 4  # as many as the embedded broker always makes
_PATIENCE = 20  # seconds
_QUIET = {"log_level": 0}  # a lesson kills brokers: what librdkafka says of it belongs to no cell


@dataclass(frozen=True, slots=True)
class Record:
    """One message where the log has it."""

    partition: int
    offset: int
    key: str
    value: str
    headers: dict[str, str] = field(default_factory=dict)


def fresh_topic(address: str, name: str = "lesson") -> str:
    """A new, empty topic with four partitions; returns its name."""
    topic = f"{name}-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": address, **_QUIET})  # its answer does not outlive it
    try:
        asked = admin.create_topics([NewTopic(topic, PARTITIONS, 1)], request_timeout=_PATIENCE / 10)
        asked[topic].result(_PATIENCE)
    except KafkaException as error:
        if error.args[0].code() not in {KafkaError._UNSUPPORTED_FEATURE, KafkaError._TIMED_OUT}:  # noqa: SLF001
            raise
        Producer({"bootstrap.servers": address, **_QUIET}).list_topics(
            topic, _PATIENCE
        )  # the embedded broker makes what is asked for
    return topic


class Sender:
    """A producer that stays open: each message is on its topic when `send` returns."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 5, **_QUIET})

    def send(self, topic: str, messages: Iterable[tuple[str | None, str]]) -> list[Record]:
        """Writes (key, value) pairs one after the other; returns where each of them stands."""
        written: list[Record] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                raise KafkaException(error)
            written.append(_record(message))

        for key, value in messages:
            self._producer.produce(topic, value.encode(), key, on_delivery=delivered)
            self._producer.poll(0)
        if self._producer.flush(_PATIENCE):
            raise TimeoutError(f"the broker at {self._address} confirmed only {len(written)} messages")
        return written


def send(address: str, topic: str, messages: Iterable[tuple[str | None, str]]) -> list[Record]:
    """What a `Sender` of its own writes."""
    return Sender(address).send(topic, messages)


def ends(address: str, topic: str) -> dict[int, tuple[int, int]]:
    """The first offset and the one behind the last, by partition."""
    with _reader(address) as consumer:
        return {each.partition: consumer.get_watermark_offsets(each, _PATIENCE) for each in _all_of(consumer, topic)}


def places(address: str, topic: str, group: str) -> dict[int, int | None]:
    """What a group has committed, by partition: the offset it reads next, or None."""
    with _reader(address, group) as consumer:
        found = consumer.committed(_all_of(consumer, topic), _PATIENCE)
        return {each.partition: each.offset if each.offset >= 0 else None for each in found}


def read_all(address: str, topic: str) -> list[Record]:
    """Every message of the topic, in the order in which a reader gets them. Nothing is committed."""
    with _reader(address) as consumer:
        partitions = _all_of(consumer, topic)
        total = sum(high - low for low, high in (consumer.get_watermark_offsets(each) for each in partitions))
        consumer.assign(partitions)
        return [_record(message) for message in consumer.consume(total, _PATIENCE)] if total else []


class _reader:  # noqa: N801 - used as a function
    """A consumer that looks from the beginning and is closed at the end."""

    def __init__(self, address: str, group: str = "") -> None:
        group = group or f"reader-{uuid.uuid4().hex}"
        settings = {"bootstrap.servers": address, "group.id": group, "enable.auto.commit": False}
        self._consumer = Consumer({**settings, "auto.offset.reset": "earliest", **_QUIET})

    def __enter__(self) -> Consumer:
        return self._consumer

    def __exit__(self, *_: object) -> None:
        self._consumer.close()


def _all_of(consumer: Consumer, topic: str) -> list[TopicPartition]:
    known = consumer.list_topics(topic, _PATIENCE).topics[topic].partitions
    return [TopicPartition(topic, number, 0) for number in sorted(known)]


def _record(message: Message) -> Record:
    headers = {str(each[0]): _text(each[1]) for each in message.headers() or []}
    place = int(message.partition() or 0), int(message.offset() or 0)
    return Record(*place, _text(message.key()), _text(message.value()), headers)


def _text(part: str | bytes | None) -> str:
    """What people can read of any bytes."""
    return part if isinstance(part, str) else bytes(part or b"").decode(errors="replace")
