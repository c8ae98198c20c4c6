"""Phase 3 in containers, for real: bookings are told to Kafka and counted, Kafka and the consumer die meanwhile."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.containers import KAFKA, EveryStack, stack_of
from tests.containers_phase2 import BOOKINGS, METRICS, PENDING_LIMIT, TwoServices, books, broken
from tests.waiting import until
from workbook.compose import ComposeStack, run
from workbook.counted import figures
from workbook.kafka.apache import PROPERTIES
from workbook.kafka.jars import VERSION
from workbook.needs import needs, public_images
from workbook.phases import ROOT, newest_composed_phase, phase_folders
from workbook.props.topics import ends

pytestmark = pytest.mark.timeout(600)  # the first build downloads packages

CONFIRMED = 'bookings_total{status="confirmed"}'
OF_THE_PLACE = {"listeners", "advertised.listeners", "listener.security.protocol.map", "controller.quorum.voters"}


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with stack_of(3, PENDING_LIMIT=PENDING_LIMIT) as running:
        yield running


class TestContainers(EveryStack):
    """What holds for every phase, for this one."""


class TestTwoServices(TwoServices):
    """What held in phase 2 holds with a message for every booking."""


def test_a_booking_is_told_and_counted(stack: ComposeStack) -> None:
    until(lambda: not broken(stack))
    counted, told = figures(stack, METRICS)[CONFIRMED], messages(stack)
    assert books(stack)
    until(lambda: figures(stack, METRICS)[CONFIRMED] == counted + 1)
    assert messages(stack) == told + 1


def test_bookings_go_on_while_kafka_and_the_consumer_are_dead(stack: ComposeStack) -> None:
    stack.kill(KAFKA, METRICS)
    try:
        assert all(books(stack) for _ in range(20))
        assert figures(stack, BOOKINGS)["outbox_messages_waiting"] == 20
        assert {each.law for each in broken(stack)} == {"I4"}, "the law sees what was not counted"
    finally:
        stack.start()
    until(lambda: not broken(stack))
    assert figures(stack, BOOKINGS)["outbox_messages_waiting"] == 0


def test_kafka_is_the_local_stacks() -> None:
    needs("docker")
    assert f"apache/kafka:{VERSION}" in public_images("phase3-kafka/compose.yaml")
    local = dict(line.split("=", 1) for line in PROPERTIES.split())
    here = configured("phase3-kafka/compose.yaml")["services"][KAFKA]["environment"]
    shared = {name: value for name, value in local.items() if name not in OF_THE_PLACE | {"log.dirs"}}
    assert {name: here.get(f"KAFKA_{name.replace('.', '_').upper()}") for name in shared} == shared


def test_the_root_file_is_the_newest_composed_phase() -> None:
    needs("docker")
    whole, own = configured("docker-compose.yml"), configured(phase_folders()[newest_composed_phase()] / "compose.yaml")
    assert whole["services"] == own["services"]
    assert whole["name"] != own["name"]


def messages(stack: ComposeStack) -> int:
    """How many are on Kafka, as this machine sees it."""
    behind_the_last = [end for _, end in ends(stack.address(KAFKA), "bookings").values()]
    assert len(behind_the_last) == 6, "made with its partitions, not by the first to ask for it"
    return sum(behind_the_last)


def configured(file: str | Path) -> Any:
    return json.loads(run(["docker", "compose", "-f", str(ROOT / file), "config", "--format=json"]))
