"""Real bookings on the local stack, and every signal of them: figures, log lines, spans, and who talks to whom."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.prometheus_says import values
from tests.signals import TABLE, Told, problems
from tests.systems import OnThisMachine
from tests.told_so_far import BOOKING, EVENT, PUT_OFF, QUICK, everything_told
from tests.waiting import until
from workbook.needs import missing, needs
from workbook.prometheus import rule_files
from workbook.prometheus_api import asked
from workbook.stack import LocalStack

METRICS = "metrics-consumer"
CREATE = "booking-service: booking.BookingService/CreateBooking"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    prometheus = not missing("prometheus")
    with LocalStack(4, prometheus=prometheus, kafka="embedded", environment=QUICK) as stack:
        yield stack


@pytest.fixture(scope="module")
def told(stack: LocalStack) -> Told:
    return everything_told(OnThisMachine(stack))


def test_every_signal_of_the_table_comes_and_no_other(told: Told) -> None:
    assert problems(told) == []


# The controls


def _without_metric(told: Told) -> None:
    told.metrics[EVENT].remove("events_unbalanced")


def _with_a_metric_of_nobody(told: Told) -> None:
    told.metrics[METRICS].add("bookings_by_user")


def _not_grown(told: Told) -> None:
    told.grown[METRICS].remove('bookings_total{status="confirmed"}')


def _without_line(told: Told) -> None:
    told.lines[EVENT] = [line for line in told.lines[EVENT] if line["event"] != "ready"]


def _without_trace_in_the_log(told: Told) -> None:
    for line in told.lines[BOOKING]:
        line.pop("trace_id", None)


def _without_logger(told: Told) -> None:
    del told.lines[METRICS][0]["logger"]


def _without_span(told: Told) -> None:
    told.traces["sold-out"] = [span for span in told.traces["sold-out"] if span.name != "COMMIT"]


def _without_service(told: Told) -> None:
    for outcome, spans in told.traces.items():
        told.traces[outcome] = [span for span in spans if span.service != EVENT]


def _with_a_shortcut(told: Told) -> None:
    """The consumer reads the booking service's table, say."""
    trace = told.traces["confirmed"]
    server = next(span for span in trace if span.kind == "SERVER")
    trace.append(replace(server, span_id="1", parent_id=server.span_id, service=METRICS))


def _without_error(told: Told) -> None:
    told.traces["sold-out"] = [replace(span, error=False) for span in told.traces["sold-out"]]


CONTROLS: dict[Callable[[Told], None], str] = {
    _without_metric: "metrics of event-service: events_unbalanced is missing",
    _with_a_metric_of_nobody: "metrics of metrics-consumer: bookings_by_user is not in the table",
    _not_grown: 'what grows at metrics-consumer: bookings_total{status="confirmed"} is missing',
    _without_line: "event-service does not log 'ready' with ['service']",
    _without_trace_in_the_log: PUT_OFF,
    _without_logger: "metrics-consumer logs 'listening' without ['logger']",
    _without_span: f"spans of sold-out: ('{CREATE}', 'booking-service: COMMIT') is missing",
    _without_service: "calls: ('booking-service', 'event-service') is missing",
    _with_a_shortcut: "calls: ('booking-service', 'metrics-consumer') is not in the table",
    _without_error: "errors of sold-out: booking-service: event.EventService/ReserveTickets is missing",
}


@pytest.mark.parametrize("spoil", CONTROLS)
def test_a_signal_that_is_missing_or_unknown_is_seen(told: Told, spoil: Callable[[Told], None]) -> None:
    spoilt = copy.deepcopy(told)
    spoil(spoilt)
    assert CONTROLS[spoil] in problems(spoilt)


# Prometheus, over the same system


@pytest.fixture
def watched(stack: LocalStack, told: Told) -> LocalStack:
    assert told.metrics
    needs("prometheus")
    return stack


def test_prometheus_asks_every_service(watched: LocalStack) -> None:
    addresses = watched.metrics_addresses()
    prometheus = watched["prometheus"].address
    until(lambda: values(prometheus, "up") == dict.fromkeys(addresses.values(), 1))
    jobs = {one["metric"]["job"] for one in asked(prometheus, "query", query="up")["result"]}
    assert jobs == set(addresses) == set(TABLE["services"])
    until(lambda: values(prometheus, 'sum(bookings_by_status{status="cancelled"})') == {"": 3})


def test_it_works_out_the_rules_of_the_phase(watched: LocalStack) -> None:
    files = {group["file"] for group in asked(watched["prometheus"].address, "rules")["groups"]}
    assert files == {str(path) for path in rule_files(4)}
    assert {path.name for path in rule_files(4)} >= {"alerts.yml", "recording.yml"}


def test_a_new_copy_is_asked_too_and_one_that_is_away_is_seen(watched: LocalStack) -> None:
    prometheus, gone = watched["prometheus"].address, watched.metrics_address(METRICS)
    watched[METRICS].kill()
    watched.replica(EVENT)
    until(lambda: values(prometheus, "up")[gone] == 0)
    until(lambda: values(prometheus, 'count(up{job="event-service"} == 1)') == {"": 2})
