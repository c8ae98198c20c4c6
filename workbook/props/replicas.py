"""What Prometheus would have scraped of a system of several replicas, and what really happened in it."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from workbook.props import evenly
from workbook.props.evaluator import STEP, Series

CREATE = "booking.BookingService/CreateBooking"
GET = "booking.BookingService/GetBooking"
CANCEL = "booking.BookingService/CancelBooking"
RESERVE = "event.EventService/ReserveTickets"

REFUSALS = ("NOT_FOUND", "FAILED_PRECONDITION", "CANCELLED")
FAULTS = ("UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DATA_LOSS")
CODES = ("OK", *REFUSALS, *FAULTS)
ENDS = (0.05, 0.1, 0.25, 0.5, 1.0, math.inf)

WINDOW = 300 // STEP  # scrapes in five minutes
LATELY = (6,) * 60 + (1,) * 10 + (3,) * 10  # busy, then quiet, then busier again in the last minutes
LONG_AGO = (20,) * 40 + (0,) * 40
JUST_NOW = (0,) * 76 + (4,) * 4

QUICK = {0.05: 0.7, 0.1: 0.28, 0.25: 0.02}
SLOW = {0.1: 0.2, 0.25: 0.3, 0.5: 0.3, 1.0: 0.2}


@dataclass(frozen=True)
class Flow:
    """Requests of one method at one replica: so many by code, times the pace of the moment, at each scrape.

    `took` are the shares that end in each bucket, by the bucket's end.
    """

    method: str
    replica: str
    codes: Mapping[str, int]
    took: Mapping[float, float] = field(default_factory=lambda: QUICK)
    pace: tuple[int, ...] = LATELY
    side: str = "server"

    def requests(self, codes: Collection[str] = CODES) -> int:
        """How many there were in the last five minutes that ended with one of these codes."""
        each = sum(number for code, number in self.codes.items() if code in codes)
        return each * sum(self.pace[-WINDOW:])


@dataclass(frozen=True)
class World:
    """`restarted` says at which scrape a replica's process was a new one, whose counters began at 0."""

    what: str
    flows: tuple[Flow, ...]
    restarted: Mapping[str, int] = field(default_factory=dict)

    def requests(self, side: str = "server") -> dict[str, float]:
        """A second, by method, over the last five minutes."""
        found: dict[str, float] = defaultdict(float)
        for flow in self._served(side):
            found[flow.method] += flow.requests() / (WINDOW * STEP)
        return dict(found)

    def share(self, codes: Collection[str]) -> float:
        """Of the requests that were answered in the last five minutes, those that ended with one of these codes."""
        answered = (sum(flow.requests(among) for flow in self._served()) for among in (codes, CODES))
        return next(answered) / next(answered)

    def p99(self, method: str) -> float | None:
        """Of all replicas together, over the last five minutes."""
        flows = [flow for flow in self._served() if flow.method == method]
        counts = (sum(flow.requests() * flow.took.get(end, 0) for flow in flows) for end in ENDS)
        return evenly.quantile(0.99, list(zip(ENDS, accumulate(counts), strict=True)))

    def series(self) -> list[Series]:
        """What there is to be scraped; what has not happened yet is there too, at 0."""
        grown: dict[tuple[str, tuple[tuple[str, str], ...]], list[float]] = {}
        for flow in self.flows:
            for name, labels, each in _counters(flow):
                own = grown.setdefault((name, tuple(labels.items())), [0.0] * len(flow.pace))
                own[:] = [before + each * pace for before, pace in zip(own, flow.pace, strict=True)]
        return [*(self._counter(name, dict(labels), own) for (name, labels), own in grown.items()), *self._running()]

    def _served(self, side: str = "server") -> Iterator[Flow]:
        return (flow for flow in self.flows if flow.side == side)

    def _counter(self, name: str, labels: dict[str, str], grown: list[float]) -> Series:
        began = self.restarted.get(labels["instance"], 0)
        values = [0.0, *accumulate(grown[: max(0, began - 1)]), *accumulate(grown[max(0, began - 1) :])]
        return Series(name, labels, values)

    def _running(self) -> Iterator[Series]:
        """A gauge, for those who take the wrong metric."""
        for flow in self.flows:
            if flow.pace is LATELY:
                yield Series("grpc_requests_in_flight", _labels(flow), [float(pace % 4) for pace in (0, *flow.pace)])


def _labels(flow: Flow) -> dict[str, str]:
    job = f"{flow.replica.partition('-')[0]}-service"
    return {"job": job, "instance": flow.replica, "side": flow.side, "method": flow.method}


def _counters(flow: Flow) -> Iterator[tuple[str, dict[str, str], float]]:
    """Each counter's name, labels and growth at a pace of 1."""
    labels, seconds = _labels(flow), "grpc_request_duration_seconds"
    requests = sum(flow.codes.values())
    for code in CODES:
        yield "grpc_requests_total", {**labels, "code": code}, flow.codes.get(code, 0)
    for end in ENDS:
        upto = sum(share for bucket, share in flow.took.items() if bucket <= end)
        yield f"{seconds}_bucket", {**labels, "le": "+Inf" if end == math.inf else f"{end:g}"}, requests * upto
    yield f"{seconds}_count", labels, requests
    yield f"{seconds}_sum", labels, requests * sum(end * share for end, share in flow.took.items())


WORLDS = (
    World(
        "two replicas, one of them restarted two minutes ago",
        (
            Flow(CREATE, "booking-1", {"OK": 40, "FAILED_PRECONDITION": 8, "INTERNAL": 2}),
            Flow(CREATE, "booking-1", {"UNAVAILABLE": 10}, took=SLOW, pace=LONG_AGO),
            Flow(CREATE, "booking-1", {"INTERNAL": 10}, took=SLOW, pace=JUST_NOW),
            Flow(CREATE, "booking-2", {"OK": 4, "UNAVAILABLE": 1}, took=SLOW),
            Flow(GET, "booking-1", {"OK": 90, "NOT_FOUND": 10}),
            Flow(GET, "booking-2", {"OK": 20, "CANCELLED": 4, "DEADLINE_EXCEEDED": 1}),
            Flow(RESERVE, "booking-1", {"OK": 40, "UNAVAILABLE": 20}, side="client"),
            Flow(RESERVE, "event-1", {"OK": 40, "FAILED_PRECONDITION": 8}),
        ),
        {"booking-2": 73},
    ),
    World(
        "nobody cancels, and every GetBooking fails",
        (
            Flow(CREATE, "booking-1", {"OK": 30}),
            Flow(CREATE, "booking-2", {"OK": 6}, took=SLOW),
            Flow(GET, "booking-1", {"INTERNAL": 3, "UNKNOWN": 1}),
            Flow(CANCEL, "booking-1", {}),
        ),
    ),
    World(
        "all requests are refused, by no fault of the services",
        (
            Flow(CREATE, "booking-1", {"FAILED_PRECONDITION": 20, "CANCELLED": 1}),
            Flow(CREATE, "booking-1", {"INTERNAL": 5}, pace=LONG_AGO),
            Flow(GET, "booking-1", {"NOT_FOUND": 7}),
        ),
    ),
    World(
        "everything fails",
        (
            Flow(CREATE, "booking-1", {"INTERNAL": 5, "DATA_LOSS": 1}, took=SLOW),
            Flow(CREATE, "booking-2", {"UNAVAILABLE": 5}),
            Flow(GET, "booking-2", {"DEADLINE_EXCEEDED": 9}, took=SLOW),
        ),
    ),
)
