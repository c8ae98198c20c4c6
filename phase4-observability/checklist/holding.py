"""What happens while the event service is paused: calls that their callers leave, a fault, and an alert."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from checklist.callers import Buyers, Sellers, Sent, new_trace
from checklist.client import Answer
from checklist.outcomes import METHODS, Outcomes, grown, of_method, requests
from checklist.prometheus import Prometheus
from checklist.sales import comes_true, wish
from checklist.shown import Shown

from workbook.checks.system import System

EVENT, BOOK = "event-service", "CreateBooking"
WAIT = 0.3  # seconds that a caller waits for a ticket before it leaves


@dataclass
class Held:
    """`left` is what was counted of each call that its caller left, and what that caller saw; `fault` the trace of a
    call that failed, and how; `noticed` the alerts that came on, and `stayed` those of them that did not go off again.
    """

    left: dict[str, tuple[Answer, Outcomes]] = field(default_factory=dict)
    fault: Sent = field(default_factory=new_trace)
    failed: Answer | None = None
    noticed: set[str] = field(default_factory=set)
    stayed: set[str] = field(default_factory=set)


def hold(system: System, page: Shown | None, buyers: Buyers, sellers: Sellers, prometheus: Prometheus | None) -> Held:
    """Pauses the event service, which comes back; a page or a Prometheus that is not there is not asked."""
    event, held = sellers.made(capacity=100).id, Held()
    watching = [rule.name for rule in prometheus.rules() if rule.watches_targets] if prometheus else []
    before = prometheus.alerts(*watching) if prometheus else set()
    with system.paused(EVENT):
        if page:
            held.left["cancelled by its caller"] = _left(page, buyers, _cancelled, wish(event, 1))
            held.left["with a deadline that passed"] = _left(page, buyers, _expired, wish(event, 1))
        with buyers.tracing(held.fault):
            failing = buyers.begun(BOOK, system.patience, **wish(event, 1))
        if prometheus and watching:
            comes_true(lambda: bool(prometheus.alerts(*watching) - before), prometheus.patience)
            held.noticed = prometheus.alerts(*watching) - before
        held.failed = buyers.outcome(BOOK, failing)
    if prometheus and held.noticed:
        comes_true(lambda: not prometheus.alerts(*watching) & held.noticed, prometheus.patience)
        held.stayed = prometheus.alerts(*watching) & held.noticed
    return held


def _left(page: Shown, buyers: Buyers, leave: Callable[..., Answer], request: Any) -> tuple[Answer, Outcomes]:
    """How a call ended for its caller, and what was counted of it."""
    methods = METHODS["booking-metrics"]
    before = requests(page.figures(), methods)
    answer = leave(buyers, request)

    def counted() -> Outcomes:
        return grown(before, requests(page.figures(), methods))

    comes_true(lambda: of_method(counted(), BOOK) > 0 or counted()["", ""] > 0, buyers.system.within)
    return answer, counted()


def _cancelled(buyers: Buyers, request: Any) -> Answer:
    call = buyers.begun(BOOK, buyers.system.patience, **request)
    deadline = time.monotonic() + WAIT
    while not call.done() and time.monotonic() < deadline:
        time.sleep(0.02)
    call.cancel()
    return buyers.outcome(BOOK, call)


def _expired(buyers: Buyers, request: Any) -> Answer:
    return buyers.outcome(BOOK, buyers.begun(BOOK, WAIT, **request))
