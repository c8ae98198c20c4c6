"""A message as it was taken from Kafka: plain data, whatever its bytes say."""

from dataclasses import dataclass
from typing import Self

from confluent_kafka import Message

from messaging.contract import Headers


@dataclass(frozen=True, slots=True)
class Incoming:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, message: Message) -> Self:
        """The data of a message that is one, and no error."""
        return cls(
            message.topic() or "",
            message.partition() or 0,
            message.offset() or 0,
            message.key(),
            message.value(),
            _headers(message),
        )


def _headers(message: Message) -> Headers:
    """As they came, in their order; none where a name is no text: nobody can read those."""
    try:
        found = message.headers() or ()
    except UnicodeDecodeError:
        return ()
    named = found.items() if isinstance(found, dict) else found
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in named]
