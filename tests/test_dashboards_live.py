"""What the dashboards ask, asked of a real Prometheus over real bookings: each panel shows something."""

import asyncio
import math
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import grpc
import pytest
from tests.customer import new_event
from tests.dashboards import Question, dashboards, questions, selectors, sources

from tests.prometheus_says import values
from tests.systems import OnThisMachine
from tests.told_so_far import customer
from tests.waiting import until
from workbook.grafana import figure
from workbook.last_minutes import LastMinutes
from workbook.needs import needs
from workbook.prometheus_api import asked
from workbook.stack import LocalStack
from workbook.traces.client import Traces

QUESTIONS = [question for board in dashboards().values() for question in questions(board)]
QUICK = {"FIGURES_EVERY": "0.05", "OTEL_BSP_SCHEDULE_DELAY": "50"}
DRILL = """
groups:
  - name: drill
    rules:
      - alert: Drill
        expr: vector(1)
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """Bookings, one that is refused and one that is cancelled, and an alert that fires."""
    needs("prometheus")
    with LocalStack(4, prometheus=True, kafka="embedded", environment=QUICK) as stack:
        until(lambda: values(stack["prometheus"].address, "up") == dict.fromkeys(stack.metrics_addresses().values(), 1))
        _fire(stack)
        event_id = asyncio.run(new_event(stack["event-service"].address, capacity=4))
        with customer(OnThisMachine(stack)) as ada:
            ada.books(event_id)
            regretted = ada.books(event_id)
            with pytest.raises(grpc.RpcError):
                ada.books(event_id)
            ada.cancels(regretted)
        yield stack


def _fire(stack: LocalStack) -> None:
    own = stack.folder / "prometheus" / "rules"
    own.mkdir(exist_ok=True)
    (own / "drill.yml").write_text(DRILL)
    url = f"http://{stack['prometheus'].address}/-/reload"
    urllib.request.urlopen(url, data=b"", timeout=10).close()  # with data it is a POST


@pytest.fixture
def watched(stack: LocalStack) -> LastMinutes:
    return LastMinutes(stack["prometheus"].address, 5, {"service": "booking-service"})


def silent(watched: LastMinutes, question: Question) -> list[str]:
    """Which of the question and the selectors in it have no answer: `or vector(0)` would hide a metric that is none."""
    return [one for one in (question.expression, *selectors(question.expression)) if not numbers(watched, one)]


def numbers(watched: LastMinutes, expression: str) -> list[float]:
    return [number for _, number in watched.now(expression) if math.isfinite(number)]


def test_every_panel_variable_and_annotation_gets_an_answer(watched: LastMinutes) -> None:
    with suppress(AssertionError):  # what is silent then, the next line says
        until(lambda: not any(silent(watched, question) for question in QUESTIONS))
    assert {question: silence for question in QUESTIONS if (silence := silent(watched, question))} == {}


def test_a_service_that_calls_nobody_fills_its_dashboard_too(watched: LastMinutes) -> None:
    asks = [question for question in questions(dashboards()["service"]) if not question.may_be_empty]
    assert len(asks) > 10
    other = replace(watched, variables={"service": "event-service"})
    until(lambda: all(numbers(other, question.expression) for question in asks))


def test_a_misspelt_metric_would_be_seen(watched: LastMinutes) -> None:
    assert [question for question in QUESTIONS if not silent(watched, _misspelt(question))] == []


def _misspelt(question: Question) -> Question:
    name = next(iter(selectors(question.expression).values()))
    return replace(question, expression=question.expression.replace(name, f"{name}s"))


def test_the_services_to_choose_from_are_those_that_answer_requests(stack: LocalStack) -> None:
    (asks,) = (question.expression for question in QUESTIONS if question.where.endswith(": $service"))
    assert asked(stack["prometheus"].address, "label/job/values", **{"match[]": asks}) == [
        "booking-service",
        "event-service",
    ]


def test_a_dot_on_the_panel_of_durations_leads_to_a_trace(stack: LocalStack, watched: LastMinutes) -> None:
    (label,) = {each["name"] for each in sources()["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]}
    (asks,) = (question.expression for question in QUESTIONS if question.exemplar)
    until(lambda: watched.exemplars(asks))
    ids, traces = {labels[label] for labels, _ in watched.exemplars(asks)}, Traces(stack["traces"].address)
    until(lambda: all(traces.trace(trace_id) for trace_id in ids))
    recorded = 'job_method:grpc_request_duration_seconds:p99_5m{job="$service"}'
    assert numbers(watched, f"max({recorded})")
    assert watched.exemplars(recorded) == []  # which is why the panel asks for the buckets, too


DRAWN = {"Tickets sold": "2", "Popular events": " 2", "How long requests take": "a request", "How requests end": "OK"}


@pytest.mark.parametrize("title", DRAWN)
def test_where_no_grafana_runs_the_workbook_draws_what_it_would_show(watched: LastMinutes, title: str) -> None:
    until(lambda: DRAWN[title] in _written(watched, title))


def _written(watched: LastMinutes, title: str) -> list[str]:
    """What stands in the picture of a panel."""
    (panel,) = (panel for board in dashboards().values() for panel in board["panels"] if panel["title"] == title)
    (axes,) = figure({**dashboards()["service"], "panels": [panel]}, watched).axes
    return [*axes.get_legend_handles_labels()[1], *(text.get_text() for text in axes.texts)]
