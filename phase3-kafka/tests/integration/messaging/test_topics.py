"""The step that makes the topics, on a broker that makes them by itself and on none."""

from typing import Any

import pytest
from chassis.settings import CannotStart
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from messaging.config import KafkaSettings
from messaging.topics import NoKafka, make_topics

from workbook.ports import free_port


def test_a_broker_that_makes_topics_on_first_use_is_left_to_it(broker: str, topic: str) -> None:
    settings = KafkaSettings(kafka_address=broker, bookings_topic=topic)
    made = make_topics(settings)
    assert [each.name for each in made] == [topic, f"{topic}.dead-letter"]
    assert all(each.partitions > 0 for each in made)


def test_a_topic_that_was_made_just_now_is_waited_for(broker: str, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker may say that it is there, and for a moment not with which partitions."""
    real, asked = AdminClient.list_topics, []

    def not_at_once(self: AdminClient, *values: Any, **named: Any) -> Any:
        found = real(self, *values, **named)
        asked.append(values)
        if len(asked) == 2:  # the first time it is asked for the topic by name
            found.topics[topic].partitions = {}
        return found

    monkeypatch.setattr(AdminClient, "list_topics", not_at_once)
    made = make_topics(KafkaSettings(kafka_address=broker, bookings_topic=topic))
    assert all(each.partitions > 0 for each in made)
    assert [values[0] for values in asked if values] == [topic, topic, f"{topic}.dead-letter"]


def test_a_topic_is_kept_for_longer_than_a_broker_would(
    broker: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself it keeps a week: a consumer that is away for longer would never hear what it missed."""
    asked: list[NewTopic] = []

    def note(_: AdminClient, topics: list[NewTopic], **_named: Any) -> dict[str, Any]:
        asked.extend(topics)
        return {}

    monkeypatch.setattr(AdminClient, "create_topics", note)
    make_topics(KafkaSettings(kafka_address=broker, bookings_topic=topic, bookings_partitions=1))
    kept = {each.topic: int(each.config["retention.ms"]) for each in asked}
    assert kept == {topic: 30 * 24 * 3600 * 1000, f"{topic}.dead-letter": -1}


def test_without_kafka_it_says_where_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.topics._PATIENCE", 1)
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(NoKafka, match=f"no answer from Kafka at {address}"):
        make_topics(KafkaSettings(kafka_address=address))
    assert issubclass(NoKafka, CannotStart)
