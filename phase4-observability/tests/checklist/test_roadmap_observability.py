"""A system that has only what the roadmap asks for: nothing of it is called wrong, and what it lacks is named."""

from collections.abc import Iterator

import prometheus_client
import pytest
from tests.checklist.roadmap_observability import roadmap_observability

from workbook.checklist import run
from workbook.checks.report import Check, Outcome
from workbook.needs import needs

AN_ADDITION = "an addition to the roadmap, see phase4-observability/README.md"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    needs("prometheus")
    prometheus_client.enable_created_metrics()  # type: ignore[no-untyped-call]  # as it comes: our services turn it off
    try:
        with roadmap_observability(tmp_path_factory.mktemp("roadmap")) as running:
            yield running
    finally:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


def told(checks: list[Check], outcome: Outcome) -> set[str]:
    return {check.said for check in checks if check.outcome is outcome}


def test_it_passes_and_hears_what_it_lacks(system: tuple[str, str]) -> None:
    target, pause = system
    report = run(4, target, pause=pause)
    assert not told(report.checks, Outcome.FAILED)
    assert report.status == 0
    passed = {check.title.split(":")[0] for check in report.checks if check.outcome is Outcome.PASSED}
    assert passed >= {
        "The service shows a page that Prometheus can read",
        "The roadmap's metric is there, by its name",
        "Every request is counted once",
        "A request that nobody waits for any more is counted, and not as OK",
        "bookings_total grows by as many bookings as were made",
        "bookings_by_status follows what bookings are",
        "It knows the figures of the service",
        "There are alert rules",
        "A call that is in a trace is continued in it",
        "The booking service and the event service are in one trace",
        "A fault is an error in its trace",
        "A store of traces that hangs hurts no booking",
    }
    assert told(report.checks, Outcome.NOT_RUN) == {
        *(f"needs the address of {name}: --target {name}=HOST:PORT,…" for name in ("metrics-consumer", "grafana")),
        "needs the page metrics-consumer: --target metrics-consumer=HOST:PORT,…",
        "needs --restart COMMAND, a command that kills your server and starts it again",
        f"needs idempotency_key in CreateBookingRequest, or message-id on messages: {AN_ADDITION}",
        f"needs buckets that end at 0.25 s, the objective, and near it: {AN_ADDITION}",
        f"needs a label of grpc_requests_total that tells the code: {AN_ADDITION}",
        *(
            f"needs the labels side, method and code of grpc_requests_total, and {what}: {AN_ADDITION}"
            for what in ("no bookings_created", "all of its series from the start")
        ),
        f"needs alerts with a summary and a runbook: {AN_ADDITION}",
        "needs an alert on `up`: the roadmap does not say which alerts there are",
        "needs a message about the booking: --target kafka=HOST:PORT,…, and checklist 3",
        "needs a message that carries the trace, see above",
        f"needs the attribute booking.id on spans, and who decides what is kept, and what is an error: {AN_ADDITION}",
    }


def test_parts_that_were_not_given_are_not_run(system: tuple[str, str]) -> None:
    services = [part for part in system[0].split(",") if "-service=" in part]
    report = run(4, ",".join(services))
    assert {check.outcome for check in report.checks} == {Outcome.NOT_RUN}
    assert told(report.checks, Outcome.NOT_RUN) == {
        f"needs the address of {name}: --target {name}=HOST:PORT,…"
        for name in ("booking-metrics", "event-metrics", "metrics-consumer", "prometheus", "grafana", "jaeger")
    }
