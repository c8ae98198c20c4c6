"""What holds for containers with those who watch them, whatever later phases add: what is booked is seen."""

import json
import time
import urllib.parse
import urllib.request
from typing import Any

import psycopg

from tests.containers import ALERTMANAGER, JAEGER, PROMETHEUS
from tests.containers_phase2 import BOOKINGS, books
from tests.containers_phase3 import ToldToKafka
from tests.prometheus_says import values
from tests.waiting import until
from workbook.compose import ComposeStack, metrics_ports
from workbook.counted import figures
from workbook.prometheus import rule_files
from workbook.prometheus_api import asked
from workbook.traces.jaeger import Jaeger

FAILED = 'trace_spans_total{outcome="failed"}'


class ToldAndWatched(ToldToKafka):
    """What held in phase 3, and who sees it."""

    def meanwhile(self, stack: ComposeStack) -> None:
        """Prometheus sees that messages wait. They are made older than they are, so that nobody waits with them."""
        assert "OutboxOld" not in alerts(stack)
        with psycopg.connect(**stack.settings_of(BOOKINGS).conninfo(), autocommit=True) as database:
            database.execute("UPDATE outbox SET written_at = written_at - interval '1 minute'")
        until(lambda: alerts(stack).get("OutboxOld") == "pending")


class Seen:
    """Tests for the `stack` of the module that takes them over."""

    def test_prometheus_asks_everything(self, stack: ComposeStack) -> None:
        until(lambda: set(values(stack.address(PROMETHEUS), "up").values()) == {1})
        jobs = {one["metric"]["job"] for one in asked(stack.address(PROMETHEUS), "query", query="up")["result"]}
        assert jobs == {*metrics_ports(stack.phase), PROMETHEUS, ALERTMANAGER, JAEGER}

    def test_it_knows_the_rules_and_whom_to_tell(self, stack: ComposeStack) -> None:
        groups = asked(stack.address(PROMETHEUS), "rules")["groups"]
        assert {group["file"].rpartition("/")[2] for group in groups} == {path.name for path in rule_files(stack.phase)}
        assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
        (told,) = asked(stack.address(PROMETHEUS), "alertmanagers")["activeAlertmanagers"]
        assert told["url"] == "http://alertmanager:9093/api/v2/alerts"

    def test_a_booking_is_seen_in_prometheus_and_its_exemplar_leads_to_a_trace(self, stack: ComposeStack) -> None:
        prometheus, confirmed = stack.address(PROMETHEUS), 'sum(bookings_total{status="confirmed"})'
        began, before = time.time() - 1, values(prometheus, confirmed)[""]
        assert books(stack)
        until(lambda: values(prometheus, confirmed)[""] == before + 1)
        until(lambda: exemplars(stack, began))
        assert all(Jaeger(stack.address(JAEGER)).trace(trace_id) for trace_id in exemplars(stack, began))

    def test_the_monitor_tab_has_what_it_asks_for(self, stack: ComposeStack) -> None:
        def points() -> list[float]:
            (metric, *_) = monitored(stack, "calls", service=BOOKINGS)["metrics"] or [{"metricPoints": []}]
            return [point["gaugeValue"]["doubleValue"] for point in metric["metricPoints"]]

        until(lambda: books(stack) and any(value > 0 for value in points()))

    def test_bookings_go_on_while_jaeger_is_dead(self, stack: ComposeStack) -> None:
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
