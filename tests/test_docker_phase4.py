"""Phase 4 in containers, for real: what is booked is seen in figures, logs and traces, whoever is away meanwhile.

Grafana is not among them: its image is brought by no test, and what its files say is tested without it.
"""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.containers import JAEGER, PROMETHEUS, EveryStack, configured, stack_of
from tests.containers_phase2 import BOOKINGS, PENDING_LIMIT, TwoServices, books
from tests.containers_phase3 import ToldToKafka
from tests.prometheus_says import values
from tests.signals import problems
from tests.systems import InContainers
from tests.told_so_far import QUICK, everything_told
from tests.waiting import until
from workbook.compose import ComposeStack
from workbook.counted import figures
from workbook.needs import needs
from workbook.phases import newest_composed_phase, phase_folders
from workbook.prometheus import rule_files
from workbook.prometheus_api import asked
from workbook.traces.jaeger import Jaeger

pytestmark = pytest.mark.timeout(600)  # the first build downloads packages

JOBS = {"booking-service", "event-service", "metrics-consumer", "prometheus", "alertmanager", "jaeger"}
FAILED = 'trace_spans_total{outcome="failed"}'


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with stack_of(4, PENDING_LIMIT=PENDING_LIMIT, **QUICK) as running:
        yield running


def test_every_signal_of_the_table_comes_and_no_other(stack: ComposeStack) -> None:
    """As on this machine (test_signals.py), where its controls stand; the spans are those that Jaeger answers."""
    assert problems(everything_told(InContainers(stack))) == []


class TestContainers(EveryStack):
    """What holds for every phase, for this one."""


class TestTwoServices(TwoServices):
    """What held in phase 2 holds while all of it is told."""


class TestToldToKafka(ToldToKafka):
    """What held in phase 3, and who sees it."""

    def meanwhile(self, stack: ComposeStack) -> None:
        """Prometheus sees that messages wait. They are made older than they are, so that nobody waits with them."""
        assert "OutboxOld" not in alerts(stack)
        with psycopg.connect(**stack.settings_of(BOOKINGS).conninfo(), autocommit=True) as database:
            database.execute("UPDATE outbox SET written_at = written_at - interval '1 minute'")
        until(lambda: alerts(stack).get("OutboxOld") == "pending")


def test_prometheus_asks_everything(stack: ComposeStack) -> None:
    until(lambda: set(values(stack.address(PROMETHEUS), "up").values()) == {1})
    assert {one["metric"]["job"] for one in asked(stack.address(PROMETHEUS), "query", query="up")["result"]} == JOBS


def test_it_knows_the_rules_and_whom_to_tell(stack: ComposeStack) -> None:
    groups = asked(stack.address(PROMETHEUS), "rules")["groups"]
    assert {group["file"].rpartition("/")[2] for group in groups} == {path.name for path in rule_files(4)}
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
    (told,) = asked(stack.address(PROMETHEUS), "alertmanagers")["activeAlertmanagers"]
    assert told["url"] == "http://alertmanager:9093/api/v2/alerts"


def test_a_booking_is_seen_in_prometheus_and_its_exemplar_leads_to_a_trace(stack: ComposeStack) -> None:
    prometheus, confirmed = stack.address(PROMETHEUS), 'sum(bookings_total{status="confirmed"})'
    began, before = time.time() - 1, values(prometheus, confirmed)[""]
    assert books(stack)
    until(lambda: values(prometheus, confirmed)[""] == before + 1)
    until(lambda: exemplars(stack, began))
    assert all(Jaeger(stack.address(JAEGER)).trace(trace_id) for trace_id in exemplars(stack, began))


def test_the_monitor_tab_has_what_it_asks_for(stack: ComposeStack) -> None:
    def points() -> list[float]:
        (metric, *_) = monitored(stack, "calls", service=BOOKINGS)["metrics"] or [{"metricPoints": []}]
        return [point["gaugeValue"]["doubleValue"] for point in metric["metricPoints"]]

    until(lambda: books(stack) and any(value > 0 for value in points()))


def test_bookings_go_on_while_jaeger_is_dead(stack: ComposeStack) -> None:
    failed = figures(stack, BOOKINGS)[FAILED]
    stack.kill(JAEGER)
    try:
        assert all(books(stack) for _ in range(20))
        until(lambda: figures(stack, BOOKINGS)[FAILED] > failed)
        assert books(stack)
    finally:
        stack.start(JAEGER)
    exported = figures(stack, BOOKINGS)['trace_spans_total{outcome="exported"}']
    until(lambda: books(stack) and figures(stack, BOOKINGS)['trace_spans_total{outcome="exported"}'] > exported)


def test_the_root_file_is_the_newest_composed_phase() -> None:
    needs("docker")
    whole, own = configured("docker-compose.yml"), configured(phase_folders()[newest_composed_phase()] / "compose.yaml")
    assert whole["services"] == own["services"]
    assert whole["name"] != own["name"]


def alerts(stack: ComposeStack) -> dict[str, str]:
    """The alerts that are pending or firing, by name."""
    found = asked(stack.address(PROMETHEUS), "alerts")["alerts"]
    return {one["labels"]["alertname"]: one["state"] for one in found}


def exemplars(stack: ComposeStack, since: float) -> set[str]:
    """The traces that buckets of the booking service have named."""
    query = 'grpc_request_duration_seconds_bucket{job="booking-service", side="server"}'
    times = {"start": str(since), "end": str(time.time())}
    series = asked(stack.address(PROMETHEUS), "query_exemplars", query=query, **times)
    return {one["labels"]["trace_id"] for each in series for one in each["exemplars"]}


def monitored(stack: ComposeStack, what: str, **asked_for: str) -> Any:
    """What Jaeger answers its own page about one of `calls`, `errors` and `latencies`."""
    arguments = {"ratePer": "60000", "step": "5000", "lookback": "60000", "spanKind": "server", **asked_for}
    url = f"http://{stack.address(JAEGER)}/api/metrics/{what}?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
