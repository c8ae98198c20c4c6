"""3.3 Metrics Consumer consumes the events."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import pytest
from checklist.counting import CONFIRMED, CONSUMER, OF_TODAY, SOLD, Counting, tickets
from checklist.page import Figures

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

OFTEN, SELDOM = 0.05, 0.5  # seconds between bookings while it dies, and once there are ENOUGH
ENOUGH = 40  # fewer than were counted before, so that a count that began at 0 again is seen
JOINS = 24  # times as long as a count may take: a group's dead member keeps its partitions for a minute in some
LASTS = "keep the counts in a database, and read them from there when you are asked"
IN_ONE_STEP = "count and remember the message's id in one transaction, and store its offset after that, not before"


@dataclass(frozen=True, slots=True)
class Killed:
    """What the page showed before the kill and right after it, and the bookings made around it."""

    before: Figures
    after: Figures
    made: list[Any]


@pytest.fixture(scope="module")
def killed(system: System, counting: Counting) -> Killed:
    system.needs_restart()
    counting.page.needs(CONFIRMED, SOLD)
    before, made = counting.page.settled(), counting.book(4)
    with ThreadPoolExecutor(1) as pool:
        restarting = pool.submit(system.restart, CONSUMER)
        while not wait([restarting], timeout=OFTEN if len(made) < ENOUGH else SELDOM).done:
            made += counting.book()
        restarting.result()
    after = counting.page.figures()
    return Killed(before, after, made)


def test_keeps(killed: Killed) -> None:
    """Killed and started again, it knows what it counted."""
    was, now = killed.before[CONFIRMED], killed.after.get(CONFIRMED, 0)
    if now < was and OF_TODAY not in killed.before:
        not_run("needs counts that outlive the consumer: an addition to the roadmap; a counter may begin at 0 again")
    expect(now >= was, f"{was:g} bookings were counted before metrics-consumer was killed, {now:g} after it", LASTS)


def test_each_once(system: System, counting: Counting, killed: Killed) -> None:
    """What is booked around the kill is counted, each once."""
    if killed.after.get(CONFIRMED, 0) < killed.before[CONFIRMED]:
        not_run("needs counts that outlive the consumer, see above")
    made = [*killed.made, *counting.book(4)]
    wanted = {CONFIRMED: len(made), SOLD: tickets(made)}
    growth = counting.page.grown(killed.before, wanted, JOINS * system.within)
    said = f"{growth[CONFIRMED]:g} bookings were counted of {len(made)} made while metrics-consumer was killed"
    expect(growth == wanted, said, IN_ONE_STEP)
