"""Whether a Kafka broker answers."""

import logging

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_SILENT = logging.getLogger("a broker that is not there yet")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


def answers(address: str, seconds: float = 1) -> bool:
    """Whether there is a broker at HOST:PORT that says which topics it has, within `seconds`."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0}, logger=_SILENT)
    try:
        admin.list_topics(timeout=seconds)
    except KafkaException:
        return False
    return True
