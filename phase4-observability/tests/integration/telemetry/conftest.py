"""The whole system as processes, with a collector of the tests' own."""

from collections.abc import Iterator

import pytest
from tests.receiver import Receiver, receiving

from workbook.stack import LocalStack


@pytest.fixture(scope="session")
def collector() -> Iterator[Receiver]:
    with receiving() as collector:
        yield collector


@pytest.fixture(scope="session")
def running(collector: Receiver) -> Iterator[LocalStack]:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "FIGURES_EVERY": "0.01",
        "LOG_FORMAT": "json",
    }
    with LocalStack(4, environment=environment) as stack:
        yield stack


@pytest.fixture
def stack(running: LocalStack) -> LocalStack:
    """The system, with all of its parts at work."""
    for part in running.parts.values():
        part.start()
    return running
