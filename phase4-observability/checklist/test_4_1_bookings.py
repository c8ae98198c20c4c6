"""4.1 The services' metrics are there."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from checklist.bookings import Bookings
from checklist.callers import Buyers, Sellers
from checklist.client import fresh
from checklist.messages import Log
from checklist.outcomes import CONTRACT
from checklist.page import SETTLE
from checklist.sales import is_sold, wish
from checklist.shown import BY_STATUS, TOTAL, Shown, named
from checklist.tallies import STATUSES, Pages, by_status, total_grown
from checklist.visit import Visit

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

ONCE = "count a booking where it changes, or its message, each once: not calls, tries or deliveries"
WHERE = "count bookings by the statuses that they have, or had"


class Bought:
    """Bookings that are made now, and by how much bookings_total grows with them."""

    def __init__(self, pages: Mapping[str, Shown], buyers: Bookings, event: str) -> None:
        self._pages = pages
        self._buyers = buyers
        self._event = event
        self.before = self.shown()

    def buy(self, **more: Any) -> Any:
        answer = self._buyers.attempt("CreateBooking", **wish(self._event, 1), **more)
        if not is_sold(answer):
            not_run(f"needs a booking service that books: {answer.told()}, see checklist 2")
        return answer.message.booking

    def shown(self) -> Pages:
        return {name: named(page.figures(), TOTAL) for name, page in self._pages.items()}

    def grown(self, wanted: int, seconds: float) -> float:
        """Once that is as wanted and stays so, or the time is over."""
        deadline = time.monotonic() + seconds
        while total_grown(self.before, self.shown(), wanted) != wanted and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(SETTLE)
        return total_grown(self.before, self.shown(), wanted)


@pytest.fixture
def bought(counted: Visit, pages: Mapping[str, Shown], buyers: Buyers, sellers: Sellers) -> Bought:
    if not any(named(figures, TOTAL) for figures in counted.after.values()):
        not_run(f"needs {TOTAL}, see above")
    if total_grown(counted.before, counted.after, len(counted.sold)) != len(counted.sold):
        not_run(f"needs {TOTAL} that counts every booking, see above")
    return Bought(pages, buyers, sellers.made(capacity=100).id)


def test_total(counted: Visit) -> None:
    """bookings_total grows by as many bookings as were made."""
    if not any(named(figures, TOTAL) for figures in counted.after.values()):
        not_run(f"needs {TOTAL}, see above")
    made = len(counted.sold)
    grown = total_grown(counted.before, counted.after, made)
    case = f"with {made} bookings, of which {len(counted.cancelled)} were cancelled, and {counted.refused} refusals"
    expect(grown == made, f"{TOTAL} grew by {grown:g} {case}", ONCE)


def test_by_status(counted: Visit) -> None:
    """bookings_by_status follows what bookings are: confirmed, then cancelled."""
    was, now = by_status(counted.before), by_status(counted.after)
    if not any(named(figures, BY_STATUS) for figures in counted.after.values()):
        not_run(f"needs {BY_STATUS}, see above")
    changes = ", ".join(f"{status} by {now.get(status, 0) - was.get(status, 0):+g}" for status in STATUSES)
    made, withdrawn = len(counted.sold), len(counted.cancelled)
    said = f"{BY_STATUS} changed: {changes}, with {made} bookings of which {withdrawn} were cancelled"
    expect(counted.statuses_right(), said, WHERE)


def test_again(counted: Visit, bought: Bought, buyers: Buyers, log: Log | None, system: System) -> None:
    """A booking counts once, though its request or its message comes twice."""
    del counted
    again = "idempotency_key" in buyers.additions["CreateBookingRequest"]
    key = {"idempotency_key": fresh("key")} if again else {}
    first = bought.buy(**key)
    messages = _messages(log, first, system.within) if log else []
    if not again and not messages:
        not_run(f"needs idempotency_key in CreateBookingRequest, or message-id on messages: {CONTRACT}")
    if again:
        buyers.attempt("CreateBooking", **_same(first, key))
    if log and messages:
        log.send(messages)
    bought.buy()
    grown = bought.grown(2, 2 * system.within)
    how = " and ".join(["request"] * again + ["message"] * bool(messages))
    expect(grown == 2, f"{TOTAL} grew by {grown:g} with 2 bookings, of which one's {how} came twice", ONCE)


def test_restart(bought: Bought, pages: Mapping[str, Shown], system: System) -> None:
    """It counts bookings once though the booking service is killed and started again."""
    system.needs_restart()
    bought.buy()
    bought.grown(1, 2 * system.within)
    system.restart("booking-service")
    if "booking-metrics" in pages:
        pages["booking-metrics"].begins_again()
    if total_grown(bought.before, bought.shown(), 1) < 1:
        not_run("needs counts that outlive a service: an addition to the roadmap; a counter may begin at 0 again")
    bought.buy()
    grown = bought.grown(2, 2 * system.within)
    expect(grown == 2, f"{TOTAL} grew by {grown:g} with 2 bookings, around a kill of booking-service", ONCE)


def _messages(log: Log, booking: Any, within: float) -> list[Any]:
    """What was told of the booking, if a reader can tell by an id that it comes again."""
    log.until(lambda: log.about(booking.user_id, booking.id), within)
    return [each for each in log.about(booking.user_id, booking.id)[:1] if each.headers.get("message-id")]


def _same(booking: Any, key: Mapping[str, str]) -> dict[str, Any]:
    return {"user_id": booking.user_id, "event_id": booking.event_id, "ticket_count": booking.ticket_count, **key}
