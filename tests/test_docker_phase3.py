"""Phase 3 in containers: its own images and file work. How its parts fail and recover is tried as of phase 4."""

from collections.abc import Iterator

import pytest

from tests.containers import KAFKA, configured, stack_of
from tests.containers_phase2 import METRICS, books, broken
from tests.containers_phase3 import CONFIRMED
from tests.waiting import until
from workbook.compose import ComposeStack
from workbook.counted import figures
from workbook.kafka.apache import PROPERTIES
from workbook.kafka.jars import VERSION
from workbook.needs import needs, public_images

pytestmark = pytest.mark.timeout(600)  # the first build downloads packages

OF_THE_PLACE = {"listeners", "advertised.listeners", "listener.security.protocol.map", "controller.quorum.voters"}


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with stack_of(3) as running:
        yield running


def test_a_booking_is_told_and_counted_and_the_laws_hold(stack: ComposeStack) -> None:
    assert books(stack)
    until(lambda: figures(stack, METRICS)[CONFIRMED] == 1)
    assert broken(stack) == []


def test_kafka_is_the_local_stacks() -> None:
    needs("docker")
    assert f"apache/kafka:{VERSION}" in public_images("phase3-kafka/compose.yaml")
    local = dict(line.split("=", 1) for line in PROPERTIES.split())
    here = configured("phase3-kafka/compose.yaml")["services"][KAFKA]["environment"]
    shared = {name: value for name, value in local.items() if name not in OF_THE_PLACE | {"log.dirs"}}
    assert {name: here.get(f"KAFKA_{name.replace('.', '_').upper()}") for name in shared} == shared
