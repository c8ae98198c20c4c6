"""Messages that cannot be counted go to a topic of their own, byte for byte, with a note of where they came from."""

import structlog
from chassis.errors import Unavailable
from messaging.contract import Headers
from messaging.incoming import Incoming
from messaging.publisher import Outgoing, Publisher

ORIGIN = "origin-"  # what the headers begin with that we add
REDRIVEN = "redriven"

log = structlog.get_logger(__name__)


class DeadLettersRefused(Unavailable):
    reason = "KAFKA_UNAVAILABLE"


class DeadLetters:
    def __init__(self, publisher: Publisher, topic: str) -> None:
        self._publisher = publisher
        self._topic = topic

    async def put(self, message: Incoming, error: str, tries: int) -> None:
        """Returns when it is safely there; raises DeadLettersRefused."""
        note = {
            "topic": message.topic,
            "partition": str(message.partition),
            "offset": str(message.offset),
            "error": error,
            "tries": str(tries),
        }
        headers = [*message.headers, *((f"{ORIGIN}{name}", value.encode()) for name, value in note.items())]
        letter = Outgoing(self._topic, message.key, message.value, headers)
        if not all(await self._publisher.deliver([letter])):
            raise DeadLettersRefused("Kafka does not take a dead letter")
        log.warning("dead letter", **note)


def origin(headers: Headers, name: str) -> str:
    """What the last note of this name says, "" without one."""
    return next((value.decode() for key, value in reversed(headers) if key == f"{ORIGIN}{name}" and value), "")
