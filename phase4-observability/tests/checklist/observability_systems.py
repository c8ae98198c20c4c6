"""Systems of a shop that tells what it does, in this process: one mistake each, and only the parts that show it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from tests.checklist import wrong_metrics as m
from tests.checklist import wrong_tracing as t
from tests.checklist.answering import page
from tests.checklist.commanded import Piece, commanded
from tests.checklist.right_messages import CountsDeliveries, Told, TracedCounters, TracedPublisher
from tests.checklist.right_metrics import BookingMetrics, Metrics
from tests.checklist.right_tracing import Collected, Tracer
from tests.checklist.watched_shop import (
    BOOKING_METHODS,
    EVENT_METHODS,
    Serving,
    WatchedShop,
    Watching,
    add_bookings,
    add_events,
)
from tests.checklist.watchers import FAULTS, NOTES, PANELS, UID, Watched, down, grafana_over, prometheus_over

NOWHERE = "127.0.0.1:1"


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a system is made of; the defaults are right. What is not there is not given to the checklist."""

    metrics: type[BookingMetrics] | None = None
    tracer: type[Tracer] | None = None
    counters: type[TracedCounters] | None = None
    consumer_tracer: type[Tracer] = Tracer
    watched: Watched | None = None
    store: str = ""


def _watched(**changed: object) -> Wiring:
    return Wiring(BookingMetrics, watched=Watched(**changed))  # type: ignore[arg-type]


def _ruled(expression: str, wait: str = "30s", notes: Mapping[str, str] = NOTES) -> Wiring:
    """With another alert on parts that do not answer."""
    return _watched(rules=(FAULTS, down(expression, wait, notes)))


def _over_kafka(tracer: type[Tracer] = Tracer, consumer: type[Tracer] = Tracer) -> Wiring:
    return Wiring(tracer=tracer, counters=TracedCounters, consumer_tracer=consumer)


SYSTEMS: Mapping[str, Wiring] = {
    "right": Wiring(BookingMetrics, Tracer, counters=TracedCounters, watched=Watched(grafana=True)),
    # 4.1
    "shows_no_figures": Wiring(m.ShowsNoFigures),
    "names_off_by_one": Wiring(m.NamesOffByOne),
    "declares_carelessly": Wiring(m.DeclaresCarelessly),
    "guesses_codes": Wiring(m.GuessesCodes),
    "counts_answers_alone": Wiring(m.CountsAnswersAlone),
    "counts_twice": Wiring(m.CountsTwice),
    "times_carelessly": Wiring(m.TimesCarelessly),
    "counts_each_bucket_alone": Wiring(m.CountsEachBucketAlone),
    "labels_what_is_sent": Wiring(m.LabelsWhatIsSent),
    "takes_cancelled_back": Wiring(m.TakesCancelledBack),
    "counts_refusals_as_bookings": Wiring(m.CountsRefusalsAsBookings),
    "counts_again": Wiring(m.CountsAgain),
    "counts_deliveries": Wiring(BookingMetrics, counters=CountsDeliveries),
    # 4.2
    "has_no_prometheus": _watched(away=True),
    "asks_carelessly": _watched(
        unseen=frozenset({"event-metrics"}), dead={"payment-service": NOWHERE}, grafana=True, panels={}
    ),
    "has_no_grafana": _watched(grafana=True, grafana_at=NOWHERE),
    "has_no_alerts": _watched(rules=(), grafana=True, sources={}),
    "has_a_sick_rule": _ruled("up * on () group_left () up == 0"),
    "alerts_carelessly": _ruled('up{job="event"} == 0 and on () grpc_request_total > 0', wait="", notes={}),
    "never_ends": _ruled("min_over_time(up[1h]) == 0"),
    "has_a_source_that_is_away": _watched(grafana=True, sources={UID: NOWHERE}),
    "has_an_empty_panel": _watched(grafana=True, panels={**PANELS, "Sold": "booking_tickets_sold"}),
    # 4.3
    "has_no_store": Wiring(tracer=Tracer, store=NOWHERE),
    "begins_anew": Wiring(tracer=t.BeginsAnew),
    "keeps_ids_alone": Wiring(tracer=t.KeepsIdsAlone),
    "goes_alone": Wiring(tracer=t.GoesAlone),
    "loses_its_place": Wiring(tracer=t.LosesItsPlace),
    "tells_kafka_nothing": _over_kafka(t.TellsKafkaNothing),
    "tells_kafka_another_trace": _over_kafka(t.TellsKafkaAnotherTrace),
    "tells_kafka_another_span": _over_kafka(t.TellsKafkaAnotherSpan),
    "consumes_anew": _over_kafka(consumer=t.ConsumesAnew),
    "keeps_too_much": Wiring(tracer=t.KeepsTooMuch),
    "waits_for_its_store": Wiring(tracer=t.WaitsForItsStore),
    "gives_up": Wiring(tracer=t.GivesUp),
}


@dataclass
class Running:
    """A system that runs: its target, and the commands that pause and kill its services."""

    target: str
    pause: str = ""
    restart: str = ""


class _Parts:
    """A system as it is put together; each part is started when it is added, and killed in the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.addresses: dict[str, str] = {}
        self.pieces: dict[str, list[Piece]] = {}

    def add(self, service: str, name: str, piece: Piece, address: str) -> None:
        piece.start()
        self._stack.callback(piece.kill)
        self.addresses[name] = address
        self.pieces.setdefault(service, []).append(piece)


@contextmanager
def running(name: str, folder: Path) -> Iterator[Running]:
    """A system of SYSTEMS."""
    wiring = SYSTEMS[name]
    with ExitStack() as stack:
        parts, collected = _Parts(stack), Collected()
        if wiring.tracer:
            parts.add("jaeger", "jaeger", collected, wiring.store or collected.server.address)
        broker = stack.enter_context(_broker()) if wiring.counters else ""
        _start_shop(wiring, parts, collected, broker)
        if wiring.watched:
            _watch(wiring.watched, parts, stack, folder / name)
        pause, restart = stack.enter_context(commanded(folder / name, parts.pieces))
        yield Running(",".join(f"{part}={address}" for part, address in parts.addresses.items()), pause, restart)


def _start_shop(wiring: Wiring, parts: _Parts, collected: Collected, broker: str) -> None:
    tracer = (wiring.tracer or Tracer)("booking-service", collected)
    bookings = (wiring.metrics or BookingMetrics)(BOOKING_METHODS, tells_total=not broker)
    events = Metrics(EVENT_METHODS)
    selling = Serving(add_bookings, Watching(bookings, tracer))
    having = Serving(add_events, Watching(events, Tracer("event-service", collected)))
    publisher = TracedPublisher(broker, tracer) if broker else None
    having.shop = selling.shop = WatchedShop(Told(bookings, publisher), having.address, tracer)
    parts.add("event-service", "event-service", having, having.address)
    parts.add("booking-service", "booking-service", selling, selling.address)
    if wiring.metrics:
        for name, metrics in (("booking", bookings), ("event", events)):
            shown = page(metrics.page)
            parts.add(f"{name}-service", f"{name}-metrics", shown, shown.address)
    if wiring.counters:
        counters = wiring.counters(broker, wiring.consumer_tracer("metrics-consumer", collected))
        parts.addresses["kafka"] = broker
        parts.add("metrics-consumer", "metrics-consumer", counters, counters.page.address)


def _watch(watched: Watched, parts: _Parts, stack: ExitStack, folder: Path) -> None:
    folder.mkdir()
    pages = {name: address for name, address in parts.addresses.items() if "metrics" in name}
    prometheus = prometheus_over(folder, watched, pages)
    parts.addresses["prometheus"] = prometheus.address
    if not watched.away:
        prometheus.start()
        stack.callback(prometheus.kill)
    if watched.grafana:
        there = stack.enter_context(grafana_over(prometheus.address, watched))
        parts.addresses["grafana"] = watched.grafana_at or there


@contextmanager
def _broker() -> Iterator[str]:
    owner = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    (here,) = owner.list_topics(timeout=5).brokers.values()
    yield f"{here.host}:{here.port}"
    owner.close()
