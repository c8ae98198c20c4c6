"""Phase 4 in containers: its own images and files work. How it goes on when parts fail is tried as of phase 5."""

from collections.abc import Iterator

import pytest

from tests.containers import JAEGER, PROMETHEUS, stack_of
from tests.containers_phase2 import METRICS, books, broken
from tests.containers_phase3 import CONFIRMED
from tests.containers_phase4 import exemplars
from tests.prometheus_says import values
from tests.told_so_far import QUICK
from tests.waiting import until
from workbook.compose import ComposeStack
from workbook.counted import figures
from workbook.traces.jaeger import Jaeger

pytestmark = pytest.mark.timeout(600)  # the first build downloads packages

FRESH = 120.0  # seconds: a new group is given its partitions, and Prometheus asks each service for the first time


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with stack_of(4, **QUICK) as running:
        yield running


def test_a_booking_is_seen_and_the_laws_hold(stack: ComposeStack) -> None:
    """In Prometheus, and by an exemplar's trace in Jaeger."""
    assert books(stack)
    until(lambda: figures(stack, METRICS)[CONFIRMED] == 1, FRESH)
    until(lambda: values(stack.address(PROMETHEUS), 'sum(bookings_total{status="confirmed"})') == {"": 1}, FRESH)
    until(lambda: exemplars(stack, since=0), FRESH)
    assert all(Jaeger(stack.address(JAEGER)).trace(trace_id) for trace_id in exemplars(stack, since=0))
    until(lambda: not broken(stack))
