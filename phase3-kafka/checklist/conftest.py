"""What phase 3's checks are given: both services, the log of Kafka, the consumer's page, and the story."""

from collections.abc import Iterator

import pytest
from checklist.bookings import Bookings
from checklist.contract import BOOKING
from checklist.counting import CONSUMER, Counting
from checklist.event_contract import EVENT
from checklist.events import Events
from checklist.message_contract import what_is_wrong
from checklist.messages import Log, opened
from checklist.page import Page
from checklist.publishing import told_of
from checklist.story import PLENTY, Story, Telling

from workbook.checks.parts import KAFKA, silence_of
from workbook.checks.system import System
from workbook.checks.verdict import Wrong, not_run


@pytest.fixture(scope="session")
def bookings(system: System) -> Iterator[Bookings]:
    with Bookings.connected(system, "booking-service", BOOKING) as client:
        yield client


@pytest.fixture(scope="session")
def events(system: System) -> Iterator[Events]:
    with Events.connected(system, "event-service", EVENT) as client:
        yield client


@pytest.fixture(scope="session")
def log(system: System) -> Iterator[Log]:
    address = system.address(KAFKA)
    if silence_of(KAFKA, address, system.patience):
        not_run("needs Kafka, see 3.1")
    with opened(address, system.patience) as log:
        yield log


@pytest.fixture(scope="session")
def _shown(system: System) -> Page | None:
    """The consumer's page, None where there is none to read."""
    if CONSUMER not in system.addresses:
        return None
    page = Page(system.addresses[CONSUMER], system.within)
    try:
        page.figures()
    except Wrong:
        return None
    return page


@pytest.fixture(scope="session")
def story(log: Log, _shown: Page | None, bookings: Bookings, events: Events) -> Story:
    """What the checks did, whatever came of it."""
    before = _shown.settled() if _shown else None
    story = Telling(log, bookings, events).tell()
    story.before = before
    return story


@pytest.fixture(scope="session")
def told(story: Story) -> Story:
    """A story that Kafka knows of."""
    try:
        told_of(story)
    except Wrong:
        not_run("needs a message for every booking, see 3.2")
    return story


@pytest.fixture(scope="session")
def counting(system: System, told: Story, _shown: Page | None, bookings: Bookings, events: Events) -> Counting:
    """For checks of the consumer: with wrong messages before it they would blame the wrong one."""
    system.address(CONSUMER)
    if _shown is None:
        not_run("needs a page that can be read, see 3.3")
    if what_is_wrong(told) or told.uncertain:
        not_run("needs messages that are right, see 3.2")
    return Counting(_shown, bookings, told, events.made(capacity=PLENTY).id)
