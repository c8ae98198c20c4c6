"""Phase 2 in containers: its own images and file work. How its services fail and recover is tried as of phase 3."""

from collections.abc import Iterator

import pytest

from tests.containers import stack_of
from tests.containers_phase2 import books, broken
from workbook.compose import ComposeStack

pytestmark = pytest.mark.timeout(600)  # the first build downloads packages


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with stack_of(2) as running:
        yield running


def test_a_booking_goes_through_both_and_the_laws_hold(stack: ComposeStack) -> None:
    assert books(stack)
    assert broken(stack) == []
