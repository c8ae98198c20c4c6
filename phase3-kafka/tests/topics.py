"""What is in a topic, read as plainly as can be: no group, no offsets kept."""

from collections.abc import Sequence

from confluent_kafka import Consumer, Producer, TopicPartition
from messaging.contract import Headers
from messaging.incoming import Incoming


def messages_in(broker: str, topic: str) -> list[Incoming]:
    """Every message that is in the topic now, partition by partition, in order of offsets."""
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": "reader", "enable.auto.commit": False, "fetch.wait.max.ms": 10}
    )
    found: list[Incoming] = []
    try:
        for number in consumer.list_topics(topic, 5).topics[topic].partitions:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), 5)
            consumer.assign([TopicPartition(topic, number, 0)])
            taken = consumer.consume(end, 5) if end else []
            assert len(taken) == end
            found += map(Incoming.of, taken)
    finally:
        consumer.close()
    return found


def send(broker: str, topic: str, *messages: tuple[bytes | None, Headers], key: bytes = b"key") -> None:
    """Puts messages into the topic, in order: the value and the headers of each."""
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
    for value, headers in messages:
        producer.produce(topic, value, key, headers=[*headers])
    assert producer.flush(5) == 0


def header(message: Incoming, name: str) -> str:
    """The text of a message's last header of this name, "" without one."""
    values: Sequence[str] = [(value or b"").decode() for key, value in message.headers if key == name]
    return values[-1] if values else ""
