"""What the tests of phase 3's failures share: starting a broker takes longer than breaking it."""

from collections.abc import Iterator

import pytest

from tests.telling import BOOKING, METRICS
from workbook.stack import LocalStack


@pytest.fixture(scope="session")
def kafka_stack() -> Iterator[LocalStack]:
    """Phase 3 on whichever broker is here, without booking service and consumer: `telling` starts a scenario's own.

    It leaves time for transactions that a test holds open, and for answers on a busy machine.
    """
    patient = {"DB_LOCK_TIMEOUT": "20", "DB_STATEMENT_TIMEOUT": "20", "EVENT_DEADLINE": "20", "DEADLINE_LIMIT": "30"}
    with LocalStack(3, program="tests.builds.phase3", environment={**patient, "LOG_LEVEL": "error"}) as stack:
        for name in (BOOKING, METRICS):
            stack[name].stop()
        yield stack
