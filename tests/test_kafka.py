"""A Kafka broker for everyone: Apache Kafka where it can be brought, librdkafka's own elsewhere; which one is said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from tests.waiting import until
from workbook.kafka import jars
from workbook.kafka.answers import answers
from workbook.kafka.choice import LIMITS, chosen_kind, described, kafka_part
from workbook.kafka.jars import NoApacheKafka
from workbook.kafka.names import UnknownBroker
from workbook.needs import needs
from workbook.part import Part
from workbook.ports import free_port
from workbook.props.topics import PARTITIONS, ends, fresh_topic, read_all, send


@pytest.fixture(scope="module", params=["apache", "embedded"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    if request.param == "apache":
        needs("apache-kafka")
    part = kafka_part(tmp_path_factory.mktemp(request.param), free_port(), request.param)
    part.start()
    yield part
    part.stop()


def is_apache(broker: Part) -> bool:
    return "kafka.Kafka" in broker._program.argv


def values(broker: Part, topic: str) -> list[str]:
    """What is in the topic; nothing while the broker that is back does not lead its partitions yet."""
    try:
        return [record.value for record in read_all(broker.address, topic)]
    except KafkaException:
        return []


def test_messages_come_back_in_order_for_each_key(broker: Part) -> None:
    topic = fresh_topic(broker.address)
    sent = send(broker.address, topic, [(f"key-{number % 5}", str(number)) for number in range(50)])
    assert sorted(ends(broker.address, topic)) == list(range(PARTITIONS))
    got = read_all(broker.address, topic)
    for key in {record.key for record in sent}:
        assert [each for each in got if each.key == key] == [each for each in sent if each.key == key]
    assert sorted(record.value for record in got) == sorted(record.value for record in sent)


def test_a_paused_broker_does_not_answer_and_goes_on_later(broker: Part) -> None:
    broker.pause()
    assert not answers(broker.address, 0.5)
    broker.resume()
    assert answers(broker.address, 10)


def test_what_a_killed_broker_has_afterwards(broker: Part) -> None:
    topic = fresh_topic(broker.address)
    send(broker.address, topic, [("key", "value")])
    broker.kill()
    assert not answers(broker.address, 0.5)
    broker.start()
    if is_apache(broker):
        until(lambda: values(broker, topic) == ["value"])
    else:
        assert "loses it when killed" in LIMITS
        assert read_all(broker.address, topic) == []


def test_without_apache_kafka_the_embedded_broker_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WORKBOOK_KAFKA", raising=False)
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    for place in ("INSTALLED", "BY_MAVEN"):
        monkeypatch.setattr(jars, place, tmp_path / place)
    assert chosen_kind() == "embedded"
    with pytest.raises(NoApacheKafka, match=r"Java|KAFKA_HOME"):
        chosen_kind("apache")


def test_a_broker_elsewhere_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_kind("127.0.0.1:9092") == "127.0.0.1:9092"
    monkeypatch.setenv("WORKBOOK_KAFKA", "embedded")
    assert chosen_kind() == "embedded"


def test_a_broker_of_no_kind_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_KAFKA", "redpanda")
    with pytest.raises(UnknownBroker, match="no broker 'redpanda'; there is auto, apache, embedded, or HOST:PORT"):
        chosen_kind()
    monkeypatch.setenv("WORKBOOK_KAFKA", "")
    assert chosen_kind() in {"apache", "embedded"}


def test_it_is_said_which_broker_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    needs("java")
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka_2.13-9.9.9.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert described("apache") == "Apache Kafka 9.9.9 (KAFKA_HOME)"
    assert described("embedded") == LIMITS
    assert "127.0.0.1:9" in described("127.0.0.1:9")


def test_a_home_of_kafka_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    needs("java")
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka_2.13-9.9.9.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert (jars.find_apache().jars, jars.find_apache().source) == (tmp_path / "libs", "KAFKA_HOME")


def test_a_home_without_kafka_4_is_not_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka_2.13-3.9.0.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    with pytest.raises(NoApacheKafka, match="holds no Apache Kafka 4"):
        jars.find_jars()


def test_an_old_java_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho '    java.specification.version = 1.8' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(jars, "find_spec", lambda _: None)
    with pytest.raises(NoApacheKafka, match="Java 17"):
        jars.find_apache()
