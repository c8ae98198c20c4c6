"""What the checks do once, in a few seconds, and then look at from every side: calls of every outcome, and traces."""

import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checklist.callers import Buyers, Ended, Sellers, Sent, new_trace
from checklist.client import Answer
from checklist.page import SETTLE, Figures
from checklist.sales import is_sold, wish
from checklist.shown import Shown
from checklist.tallies import all_counted, statuses_right, total_grown

from workbook.checks.verdict import not_run

SOLD = 5  # bookings that nobody cancels
REGRETTED = 2
OUTCOMES = ("OK", "a refusal", "bad input", "not found")


@dataclass
class Visit:
    """`before` and `after` are what each page showed; `ended` how the calls of each page's service ended; `outcomes`
    one call of each kind; `traces` those that were begun with calls; `seconds` how long all of it took.

    `sold` is all that was booked, of these `cancelled` were cancelled, and `followed` has the trace "sold".
    """

    before: Mapping[str, Figures]
    after: Mapping[str, Figures] = field(default_factory=dict)
    ended: Mapping[str, Ended] = field(default_factory=dict)
    outcomes: dict[str, tuple[str, Answer]] = field(default_factory=dict)
    traces: dict[str, Sent] = field(default_factory=dict)
    sold: list[Any] = field(default_factory=list)
    cancelled: list[Any] = field(default_factory=list)
    followed: Any = None
    seconds: float = 0

    @property
    def refused(self) -> int:
        return sum(method == "CreateBooking" and not is_sold(answer) for method, answer in self.outcomes.values())

    def statuses_right(self) -> bool:
        counts = {"sold": len(self.sold), "cancelled": len(self.cancelled), "refused": self.refused}
        return statuses_right(self.before, self.after, **counts)


class Visiting:
    """Makes it happen."""

    def __init__(self, pages: Mapping[str, Shown], buyers: Buyers, sellers: Sellers) -> None:
        self._pages = pages
        self._buyers = buyers
        self._sellers = sellers

    def go(self) -> Visit:
        """All calls, and then the time that figures need: the slowest come over Kafka, or from a table now and then."""
        visit = Visit({name: page.settled() for name, page in self._pages.items()})
        ended = Counter(self._buyers.ended), Counter(self._sellers.ended)
        began = time.monotonic()
        self._sales(visit)
        self._refusals(visit)
        visit.seconds = time.monotonic() - began
        visit.ended = {
            "booking-metrics": self._buyers.ended - ended[0],
            "event-metrics": self._sellers.ended - ended[1],
        }
        self._wait(visit)
        return visit

    def _sales(self, visit: Visit) -> None:
        event = self._on_sale(SOLD + REGRETTED)
        # Whose trace nobody is to keep comes first: the others are waited for.
        visit.traces["not sampled"] = new_trace(sampled=False)
        self._sell(visit, event, visit.traces["not sampled"])
        visit.traces["sold"] = new_trace()
        visit.followed = self._sell(visit, event, visit.traces["sold"])
        for _ in range(SOLD + REGRETTED - 2):
            self._sell(visit, event, new_trace())
        self._look(visit)  # what counts down now is seen
        for booking in visit.sold[-REGRETTED:]:
            self._buyers.attempt("CancelBooking", booking_id=booking.id)
            visit.cancelled.append(booking)
        self._buyers.attempt("GetBooking", booking_id=visit.followed.id)
        self._buyers.attempt("ListUserBookings", user_id=visit.followed.user_id)
        self._sellers.attempt("GetEvent", event_id=event)

    def _refusals(self, visit: Visit) -> None:
        sold_out, bad = wish(self._on_sale(1), 2), wish(self._on_sale(1), -1)
        self._one(visit, "a refusal", "CreateBooking", **sold_out)
        self._one(visit, "bad input", "CreateBooking", **bad)
        self._one(visit, "not found", "GetBooking", booking_id=str(uuid.uuid4()))
        self._sellers.attempt("GetEvent", event_id=str(uuid.uuid4()))

    def _one(self, visit: Visit, kind: str, method: str, **request: Any) -> None:
        visit.traces[kind] = new_trace()
        with self._buyers.tracing(visit.traces[kind]):
            answer = self._buyers.attempt(method, **request)
        visit.outcomes[kind] = (method, answer)
        if method == "CreateBooking" and is_sold(answer):
            visit.sold.append(answer.message.booking)

    def _sell(self, visit: Visit, event: str, trace: Sent) -> Any:
        with self._buyers.tracing(trace):
            answer = self._buyers.attempt("CreateBooking", **wish(event, 1))
        if not is_sold(answer):
            not_run(f"needs a booking service that books: {answer.told()}, see checklist 2")
        visit.outcomes["OK"] = ("CreateBooking", answer)
        visit.sold.append(answer.message.booking)
        return answer.message.booking

    def _on_sale(self, tickets: int) -> str:
        event = self._sellers.create(capacity=tickets)
        if event.message is None:
            not_run(f"needs an event service that makes events: {event.told()}, see checklist 2")
        return str(event.message.event.id)

    def _wait(self, visit: Visit) -> None:
        deadline = time.monotonic() + 2 * self._buyers.system.within
        self._look(visit)
        while not _as_wanted(visit) and time.monotonic() < deadline:
            time.sleep(0.1)
            self._look(visit)
        time.sleep(SETTLE)  # for what should not come
        self._look(visit)

    def _look(self, visit: Visit) -> None:
        visit.after = {name: page.figures() for name, page in self._pages.items()}


def _as_wanted(visit: Visit) -> bool:
    before, after, sold = visit.before, visit.after, len(visit.sold)
    counted = all(all_counted(page, before, after, ended) for page, ended in visit.ended.items())
    return counted and total_grown(before, after, sold) == sold and visit.statuses_right()
