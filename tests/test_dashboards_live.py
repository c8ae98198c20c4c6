"""What the dashboards ask, asked of a real Prometheus over real bookings: each panel shows something."""

import asyncio
import math
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import grpc
import pytest
from tests.customer import new_event
from tests.dashboards import Question, dashboards, questions, selectors, sources

from tests.prometheus_says import asked, values
from tests.told_so_far import customer
from tests.waiting import until
from workbook.needs import needs
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
        with customer(stack) as ada:
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


def silent(stack: LocalStack, question: Question) -> list[str]:
    """Which of the question and the selectors in it have no answer: `or vector(0)` would hide a metric that is none."""
    expression = question.of("booking-service")
    return [one for one in (expression, *selectors(expression)) if not numbers(stack, one)]


def numbers(stack: LocalStack, expression: str) -> list[float]:
    found = [float(one["value"][1]) for one in asked(stack["prometheus"].address, "query", query=expression)["result"]]
    return [number for number in found if math.isfinite(number)]


def exemplars(stack: LocalStack, expression: str) -> list[dict[str, str]]:
    """The labels of the dots that Grafana would draw."""
    now = time.time()
    found = asked(stack["prometheus"].address, "query_exemplars", query=expression, start=str(now - 300), end=str(now))
    return [one["labels"] for series in found for one in series["exemplars"]]


def test_every_panel_variable_and_annotation_gets_an_answer(stack: LocalStack) -> None:
    with suppress(AssertionError):  # what is silent then, the next line says
        until(lambda: not any(silent(stack, question) for question in QUESTIONS))
    assert {question: silence for question in QUESTIONS if (silence := silent(stack, question))} == {}


def test_a_service_that_calls_nobody_fills_its_dashboard_too(stack: LocalStack) -> None:
    asks = [question for question in questions(dashboards()["service"]) if not question.may_be_empty]
    assert len(asks) > 10
    until(lambda: all(numbers(stack, question.of("event-service")) for question in asks))


def test_a_misspelt_metric_would_be_seen(stack: LocalStack) -> None:
    assert [question for question in QUESTIONS if not silent(stack, _misspelt(question))] == []


def _misspelt(question: Question) -> Question:
    name = next(iter(selectors(question.expression).values()))
    return replace(question, expression=question.expression.replace(name, f"{name}s"))


def test_the_services_to_choose_from_are_those_that_answer_requests(stack: LocalStack) -> None:
    (asks,) = (question.expression for question in QUESTIONS if question.where.endswith(": $service"))
    assert asked(stack["prometheus"].address, "label/job/values", **{"match[]": asks}) == [
        "booking-service",
        "event-service",
    ]


def test_a_dot_on_the_panel_of_durations_leads_to_a_trace(stack: LocalStack) -> None:
    (label,) = {each["name"] for each in sources()["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]}
    (asks,) = (question.of("booking-service") for question in QUESTIONS if question.exemplar)
    until(lambda: exemplars(stack, asks))
    ids, traces = {labels[label] for labels in exemplars(stack, asks)}, Traces(stack["traces"].address)
    until(lambda: all(traces.trace(trace_id) for trace_id in ids))
    recorded = 'job_method:grpc_request_duration_seconds:p99_5m{job="booking-service"}'
    assert numbers(stack, f"max({recorded})")
    assert exemplars(stack, recorded) == []  # which is why the panel asks for the buckets, too
