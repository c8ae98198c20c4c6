"""The topics, made with as many partitions as they are meant to have: a step of its own, before the services start."""

import time
from typing import NamedTuple

import structlog
from chassis.settings import CannotStart
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from messaging.config import KafkaSettings

_PATIENCE = 10  # seconds
_BREATH = 0.05  # seconds between two questions
_A_MONTH = str(30 * 24 * 3600 * 1000)
_FOR_EVER = "-1"

log = structlog.get_logger(__name__)


class NoKafka(CannotStart):
    """The brokers do not answer; the text says where they were looked for."""


class WrongTopic(CannotStart):
    """A topic is there and is not what the settings ask for; nothing was changed."""


class Topic(NamedTuple):
    name: str
    partitions: int


def make_topics(settings: KafkaSettings) -> list[Topic]:
    """Makes the topics that are not there, and returns all of them as they are then.

    A broker that cannot be asked for topics, such as librdkafka's own, makes them on first use, in its own way.
    """
    admin = AdminClient(settings.client("topics"))
    copies = settings.kafka_replication
    wanted = [
        NewTopic(settings.bookings_topic, settings.bookings_partitions, copies, config={"retention.ms": _A_MONTH}),
        NewTopic(settings.dead_letter_topic, 1, copies, config={"retention.ms": _FOR_EVER}),
    ]
    there = _there(admin, settings)
    missing = [topic for topic in wanted if topic.topic not in there]
    by_itself = missing and not _created(admin, missing)
    found = [Topic(topic.topic, _partitions(admin, settings, topic.topic)) for topic in wanted]
    if by_itself:
        log.warning("this broker makes topics in its own way", topics=dict(found))
    elif found[0].partitions < settings.bookings_partitions:
        raise WrongTopic(
            f"topic {found[0].name} has {found[0].partitions} partitions, not {settings.bookings_partitions}:"
            " with more, keys would move to other partitions, so this is yours to decide"
        )
    return found


def _there(admin: AdminClient, settings: KafkaSettings) -> set[str]:
    try:
        return set(admin.list_topics(timeout=_PATIENCE).topics)
    except KafkaException as error:
        raise NoKafka(f"no answer from Kafka at {settings.kafka_address}: {error.args[0].str()}") from error


def _created(admin: AdminClient, topics: list[NewTopic]) -> bool:
    """Whether the broker made them, or somebody else meanwhile; False when it does not know how to be asked."""
    for name, made in admin.create_topics(topics, request_timeout=_PATIENCE / 5).items():
        try:
            made.result(_PATIENCE)
            log.info("topic made", topic=name)
        except KafkaException as error:
            code = error.args[0].code()
            if code in {KafkaError._UNSUPPORTED_FEATURE, KafkaError._TIMED_OUT, KafkaError._TRANSPORT}:  # noqa: SLF001
                return False
            if code != KafkaError.TOPIC_ALREADY_EXISTS:
                raise CannotStart(f"topic {name} cannot be made: {error.args[0].str()}") from error
    return True


def _partitions(admin: AdminClient, settings: KafkaSettings, topic: str) -> int:
    """Asking for a topic by its name is a first use. One that was made just now is not known everywhere at once."""
    give_up_at = time.monotonic() + _PATIENCE
    try:
        while not (found := len(admin.list_topics(topic, timeout=_PATIENCE).topics[topic].partitions)):
            if time.monotonic() > give_up_at:
                break
            time.sleep(_BREATH)
    except KafkaException as error:
        raise NoKafka(f"no answer from Kafka at {settings.kafka_address}: {error.args[0].str()}") from error
    return found
