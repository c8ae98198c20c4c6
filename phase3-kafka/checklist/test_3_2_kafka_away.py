"""3.2 Event publishing works."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from checklist.bookings import Bookings
from checklist.client import Answer
from checklist.events import Events
from checklist.message_contract import needs_headers
from checklist.page import Figures, Page, series
from checklist.sales import comes_true, is_sold, wish
from checklist.story import Story

from workbook.checks.parts import KAFKA
from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

BUYERS = 5
HELD = 1  # second more that Kafka is away
ARRIVE = 6  # times as long as a message may take as a rule, for what waited to come to Kafka
FIGURES = "booking-metrics"
WAITING, OLDEST = series("outbox_messages_waiting"), series("outbox_oldest_seconds")
OUTBOX = "write the message into the booking's database, in the transaction that makes the booking; send it from there"


@dataclass(frozen=True, slots=True)
class Away:
    """What was answered while Kafka was paused, in how many seconds, and what the outbox's figures said then."""

    limit: float
    answers: list[tuple[Answer, float]]
    shown: Figures
    arrived: list[bool]


@pytest.fixture(scope="module")
def away(system: System, told: Story, bookings: Bookings, events: Events) -> Away:
    system.needs_pause()
    return _away(system, told, bookings, events.made(capacity=1000).id, lambda: _outbox(system))


def _away(
    system: System, story: Story, bookings: Bookings, event_id: str, meanwhile: Callable[[], Figures] = dict
) -> Away:
    """Pauses Kafka, books, lets it go on and waits for the messages of what was booked."""
    limit = 2 * system.patience
    uncertain, story.uncertain = story.uncertain, True  # until it is known what came of all calls
    with system.paused(KAFKA):
        answers: list[tuple[Answer, float]] = []
        while len(answers) < BUYERS and all(is_sold(answer) for answer, _ in answers):
            answers.append(bookings.patiently("CreateBooking", limit, **wish(event_id, 1)))
        shown = meanwhile()
        time.sleep(HELD)
    made = [answer.message.booking for answer, _ in answers if is_sold(answer)]
    story.log.until(lambda: all(map(story.created, made)), ARRIVE * system.within)
    story.booked += made
    story.uncertain = uncertain or len(made) < BUYERS
    return Away(limit, answers, shown, [bool(story.created(booking)) for booking in made])


def _outbox(system: System) -> Figures:
    """The outbox's figures once they say that something has waited for a moment, or as they are after a while."""
    if FIGURES not in system.addresses:
        return {}
    page = Page(system.addresses[FIGURES], system.within)
    comes_true(lambda: page.figures().get(WAITING, 0) >= BUYERS and page.figures().get(OLDEST, 0) > 0, system.within)
    return page.figures()


def test_books(away: Away) -> None:
    """While Kafka does not answer, booking goes on."""
    for answer, seconds in away.answers:
        said = f"{answer.told()} after {seconds:.1f} s with Kafka paused"
        expect(is_sold(answer) and seconds < 0.95 * away.limit, said, OUTBOX)


def test_arrives(away: Away) -> None:
    """When Kafka answers again, the messages of meanwhile come."""
    lost = away.arrived.count(False)
    said = f"{lost} of {len(away.arrived)} bookings made while Kafka was paused led to no message"
    expect(not lost, f"{said} after that", OUTBOX)


def test_outbox_is_shown(system: System, away: Away) -> None:
    """While Kafka does not answer, the figures say how many messages wait and for how long; then none do."""
    page = Page(system.address(FIGURES), system.within)
    if WAITING not in away.shown or OLDEST not in away.shown:
        not_run(f"needs {WAITING[0]} and {OLDEST[0]} on its page: an addition to the roadmap")
    waiting, oldest = away.shown[WAITING], away.shown[OLDEST]
    said = f"{WAITING[0]} was {waiting:g} and {OLDEST[0]} {oldest:g}"
    made = len(away.arrived)
    case = f"with {made} bookings made while Kafka was paused, {said}"
    expect(waiting >= made and oldest > 0, case, "read both from the table when you are asked")
    empty = comes_true(lambda: page.figures().get(WAITING) == 0, ARRIVE * system.within)
    expect(empty, f"{WAITING[0]} is still not 0 when all messages have come", "forget a message once Kafka has it")


@pytest.mark.usefixtures("away")
def test_outlives_a_kill(system: System, told: Story, bookings: Bookings, events: Events) -> None:
    """What was booked while Kafka was away is told, though the booking service is killed before it could."""
    system.needs_restart()
    needs_headers(told)
    event = events.made(capacity=1000)
    killed = _away(system, told, bookings, event.id, lambda: _kill(system))
    lost = killed.arrived.count(False)
    said = f"{lost} of {len(killed.arrived)} bookings led to no message"
    expect(not lost, f"{said}: booking-service was killed while Kafka was paused", OUTBOX)


def _kill(system: System) -> Figures:
    system.restart("booking-service")
    return {}
