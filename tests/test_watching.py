"""The local stack from phase 4 on: traces are kept and figures asked for, unless somebody else does or nobody can."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.waiting import until
from workbook.demo import demo
from workbook.needs import needs
from workbook.part import PartFailed
from workbook.prometheus import rule_files
from workbook.stack import LocalStack
from workbook.told import ENDPOINT
from workbook.traces.client import Traces

SERVICES = {"event-service", "booking-service", "metrics-consumer"}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    needs("prometheus")
    with LocalStack(4, prometheus=True, kafka="embedded", environment={"FIGURES_EVERY": "0.1"}) as stack:
        yield stack


def asked(stack: LocalStack, path: str, **arguments: str) -> Any:
    """What Prometheus answers."""
    query = urllib.parse.urlencode(arguments)
    with urllib.request.urlopen(f"http://{stack['prometheus'].address}/api/v1/{path}?{query}", timeout=10) as answer:
        return json.load(answer)["data"]


def values(stack: LocalStack, query: str) -> dict[str, float]:
    """The value at each instance, or at "" for all together."""
    found = asked(stack, "query", query=query)["result"]
    return {one["metric"].get("instance", ""): float(one["value"][1]) for one in found}


def test_prometheus_asks_every_service(stack: LocalStack) -> None:
    addresses = stack.metrics_addresses()
    until(lambda: values(stack, "up") == dict.fromkeys(addresses.values(), 1))
    assert {one["metric"]["job"] for one in asked(stack, "query", query="up")["result"]} == set(addresses) == SERVICES


def test_it_works_out_the_rules_of_the_phase(stack: LocalStack) -> None:
    files = {group["file"] for group in asked(stack, "rules")["groups"]}
    assert files == {str(path) for path in rule_files(4)}
    assert {path.name for path in rule_files(4)} >= {"alerts.yml", "recording.yml"}


def test_what_happens_is_seen_in_figures_and_in_traces(stack: LocalStack) -> None:
    confirmed = 'sum(bookings_by_status{status="confirmed"})'
    until(lambda: values(stack, confirmed) == {"": 0})
    demo(stack["booking-service"].address, stack["event-service"].address)
    until(lambda: values(stack, confirmed)[""] > 0)
    traces = Traces(stack["traces"].address)
    until(lambda: {span.service for span in traces.spans()} == SERVICES)


def test_a_new_copy_is_asked_too_and_one_that_is_away_is_seen(stack: LocalStack) -> None:
    gone = stack.metrics_address("metrics-consumer")
    stack["metrics-consumer"].kill()
    stack.replica("event-service")
    until(lambda: values(stack, "up")[gone] == 0)
    until(lambda: values(stack, 'count(up{job="event-service"} == 1)') == {"": 2})


# Who watches, without starting anything


def parts_told_of(phase: int, environment: dict[str, str] | None = None) -> tuple[bool, str | None]:
    """Whether the stack runs a receiver, and where its booking service sends traces by the stack's word."""
    told = LocalStack(phase, kafka="embedded", environment=environment).environment_of("booking-service")
    return "TRACES_ADDRESS" in told, told.get(ENDPOINT)


def test_from_phase_4_on_the_stack_keeps_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    own, endpoint = parts_told_of(4)
    assert own
    assert endpoint is not None
    assert endpoint.startswith("http://127.0.0.1:")
    assert parts_told_of(3) == parts_told_of(1) == (False, None)


def test_traces_go_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    jaeger = "http://jaeger.example:4318"
    assert parts_told_of(4, {ENDPOINT: jaeger}) == (False, jaeger)
    monkeypatch.setenv(ENDPOINT, jaeger)  # each part gets it from the shell then
    assert parts_told_of(4) == (False, None)


def test_without_prometheus_the_stack_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PartFailed, match="apt install prometheus"), LocalStack(4, prometheus=True, kafka="embedded"):
        pass
