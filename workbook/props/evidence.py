"""What can be seen of a running system from outside: its figures over a while, one trace, the ends of its logs."""

import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import nan
from time import monotonic
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from workbook.stack import LocalStack
from workbook.traces.span import Span

BOOKING, EVENT, CONSUMER = "booking-service", "event-service", "metrics-consumer"
CREATE, RESERVE = "booking.BookingService/CreateBooking", "event.EventService/ReserveTickets"
_PATIENCE = 2  # seconds that a page may take


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures over a while. Times are averages in milliseconds. What nobody tells is NaN, and NaN compares as false."""

    bookings_per_second: float
    failed_per_second: float
    create_booking_ms: float
    """CreateBooking, as booking-service sees it."""
    reserve_asked_ms: float
    """ReserveTickets, as booking-service sees it, who asks."""
    reserve_answered_ms: float
    """ReserveTickets, as event-service sees it, who answers."""
    outbox_oldest_seconds: float
    relays_that_lead: float
    sent_per_second: float
    """Messages that the relay took to Kafka."""
    counted_per_second: float
    dead_per_second: float
    """Messages that metrics-consumer put aside."""
    consumer_lag: float
    """Messages; NaN also while metrics-consumer has no partitions."""
    booking_service_up: float
    """1 if its page of figures came, as Prometheus' `up` says it."""
    event_service_up: float
    metrics_consumer_up: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a person on call has: figures before and now, the slowest or a failed booking, and the ends of logs."""

    before: Figures
    now: Figures
    trace: Sequence[Span] = ()
    logs: Mapping[str, str] = field(default_factory=dict)


class Page(NamedTuple):
    """One service's page; `samples` is None when none came."""

    at: float
    samples: list[Sample] | None

    def total(self, name: str, **labels: str) -> float:
        if self.samples is None:
            return nan
        fitting = [each.value for each in self.samples if each.name == name and labels.items() <= each.labels.items()]
        return sum(fitting) if fitting else nan


Pages = Mapping[str, Page]


def pages(stack: LocalStack) -> Pages:
    """All services' pages, asked for at once."""
    addresses = stack.metrics_addresses()
    with ThreadPoolExecutor(len(addresses)) as at_once:
        return dict(zip(addresses, at_once.map(_page, addresses.values()), strict=True))


def figures_between(first: Pages, last: Pages) -> Figures:
    def rate(service: str, name: str, **labels: str) -> float:
        one, other = first[service], last[service]
        return (other.total(name, **labels) - one.total(name, **labels)) / (other.at - one.at)

    def mean(service: str, side: str, method: str) -> float:
        name = "grpc_request_duration_seconds"
        count = rate(service, f"{name}_count", side=side, method=method)
        return 1000 * rate(service, f"{name}_sum", side=side, method=method) / count if count else nan

    well = rate(BOOKING, "grpc_requests_total", side="server", method=CREATE, code="OK")
    return Figures(
        bookings_per_second=well,
        failed_per_second=rate(BOOKING, "grpc_requests_total", side="server", method=CREATE) - well,
        create_booking_ms=mean(BOOKING, "server", CREATE),
        reserve_asked_ms=mean(BOOKING, "client", RESERVE),
        reserve_answered_ms=mean(EVENT, "server", RESERVE),
        outbox_oldest_seconds=last[BOOKING].total("outbox_oldest_seconds"),
        relays_that_lead=last[BOOKING].total("outbox_relay_leads"),
        sent_per_second=rate(BOOKING, "outbox_messages_sent_total"),
        counted_per_second=rate(CONSUMER, "consumer_messages_total", outcome="counted"),
        dead_per_second=rate(CONSUMER, "consumer_messages_total", outcome="dead"),
        consumer_lag=last[CONSUMER].total("consumer_lag_messages"),
        booking_service_up=last[BOOKING].samples is not None,
        event_service_up=last[EVENT].samples is not None,
        metrics_consumer_up=last[CONSUMER].samples is not None,
    )


def _page(address: str) -> Page:
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=_PATIENCE) as answer:
            text = answer.read().decode()
    except OSError:
        return Page(monotonic(), None)
    return Page(monotonic(), [sample for family in text_string_to_metric_families(text) for sample in family.samples])
