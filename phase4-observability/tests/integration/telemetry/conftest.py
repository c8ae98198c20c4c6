"""The whole system as processes, with the receiver that belongs to it."""

from collections.abc import Iterator

import pytest

from workbook.stack import LocalStack
from workbook.traces.client import Traces


@pytest.fixture(scope="session")
def running() -> Iterator[LocalStack]:
    environment = {
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "FIGURES_EVERY": "0.01",
        "LOG_FORMAT": "json",
    }
    with LocalStack(4, environment=environment) as stack:
        yield stack


@pytest.fixture(scope="session")
def collector(running: LocalStack) -> Traces:
    return Traces(running["traces"].address)


@pytest.fixture
def stack(running: LocalStack) -> LocalStack:
    """The system, with all of its parts at work."""
    for part in running.parts.values():
        part.start()
    return running
