"""What phase 1's checks are given: the server, and a user of their own."""

from collections.abc import Iterator

import pytest
from checklist.bookings import Bookings, fresh
from checklist.contract import BOOKING

from workbook.checks.system import System


@pytest.fixture(scope="session")
def bookings(system: System) -> Iterator[Bookings]:
    with Bookings.connected(system, "booking-service", BOOKING) as client:
        yield client


@pytest.fixture
def user() -> str:
    return fresh("user")
