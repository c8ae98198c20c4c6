"""What phase 2's checks are given: both services, a user of their own, and what they may build on."""

from collections.abc import Iterator

import pytest
from checklist.bookings import Bookings
from checklist.client import fresh
from checklist.contract import BOOKING
from checklist.event_contract import EVENT
from checklist.events import Events
from checklist.ledger import what_is_wrong

from workbook.checks.system import System
from workbook.checks.verdict import not_run


@pytest.fixture(scope="session")
def events(system: System) -> Iterator[Events]:
    with Events.connected(system, "event-service", EVENT) as client:
        yield client


@pytest.fixture(scope="session")
def bookings(system: System) -> Iterator[Bookings]:
    with Bookings.connected(system, "booking-service", BOOKING) as client:
        yield client


@pytest.fixture
def user() -> str:
    return fresh("user")


@pytest.fixture(scope="session")
def _ledger(events: Events) -> str:
    return what_is_wrong(events)


@pytest.fixture
def _counts(_ledger: str) -> None:
    """For checks of the calls between services: with wrong numbers behind them they would blame the wrong service."""
    if _ledger:
        not_run("needs an event service that counts right, see 2.1")
