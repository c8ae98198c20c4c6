"""Recording rules and alerts: what promtool says of them, and that no test of an alert is idle."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from telemetry.app import BOOKING, EVENT
from telemetry.methods import OTHER, methods_of
from tests.dashboards import dashboards, questions

from workbook.needs import needs

PHASE = Path(__file__).resolve().parents[2]
PROMETHEUS = PHASE / "prometheus"
TESTS = [Path("tests", "alerts.test.yml"), Path("tests", "days.test.yml")]


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def rules(file: str) -> list[dict[str, Any]]:
    return [rule for group in loaded(PROMETHEUS / file)["groups"] for rule in group["rules"]]


ALERTS = [rule["alert"] for rule in rules("alerts.yml")]


def ran(*command: str | Path, at: Path = PROMETHEUS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)


@pytest.fixture
def promtool() -> None:
    needs("prometheus-tools")


@pytest.mark.usefixtures("promtool")
def test_prometheus_takes_its_configuration_and_the_rules() -> None:
    found = ran("promtool", "check", "config", "--lint=all", "--lint-fatal", "prometheus.yml")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.usefixtures("promtool")
def test_alertmanager_takes_its_configuration() -> None:
    found = ran("amtool", "check-config", "alertmanager.yml", at=PHASE / "alertmanager")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.usefixtures("promtool")
def test_each_alert_fires_and_does_not_fire() -> None:
    found = ran("promtool", "test", "rules", *TESTS)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.usefixtures("promtool")
@pytest.mark.parametrize("expression", ["vector(0) > 1", "vector(1)"], ids=["never fire", "always fire"])
def test_alerts_that_cannot_tell_are_seen(expression: str, tmp_path: Path) -> None:
    shutil.copytree(PROMETHEUS, tmp_path, dirs_exist_ok=True)
    broken = loaded(tmp_path / "alerts.yml")
    for group in broken["groups"]:
        for rule in group["rules"]:
            rule["expr"] = expression
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(broken))
    found = ran("promtool", "test", "rules", *TESTS, at=tmp_path)
    assert found.returncode == 1
    assert [alert for alert in ALERTS if f"alertname: {alert}," not in found.stdout + found.stderr] == []


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_has_a_paragraph_that_it_points_to(alert: str) -> None:
    (rule,) = (rule for rule in rules("alerts.yml") if rule.get("alert") == alert)
    file, _, place = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^## (.*)$", (PHASE.parent / file).read_text(), re.MULTILINE)
    assert place in [heading.lower() for heading in headings]
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_runbook_tells_of_no_alert_that_is_gone() -> None:
    assert sorted(re.findall(r"^## (.*)$", (PHASE / "runbook.md").read_text(), re.MULTILINE)) == sorted(ALERTS)


def test_rules_ask_for_what_the_services_show() -> None:
    told = "".join(path.read_text() for path in PHASE.parent.glob("phase*/README.md"))
    recorded = {rule["record"] for rule in rules("recording.yml")}
    for rule in [*rules("recording.yml"), *rules("alerts.yml")]:
        bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", "", rule["expr"])
        for name in set(re.findall(r"[a-z_0-9:]*[a-z]_[a-z_0-9:]+", bare)) - recorded - {"histogram_quantile"}:
            assert f"`{re.sub('_(bucket|count|sum)$', '', name)}`" in told, f"{name} is in no README's table of metrics"


# Which methods count as requests of users

NOT_ASKED_BY_USERS = {*methods_of(), OTHER}  # health checks; reflection and whatever else is not known
STREAMS = {
    f"{service.full_name}/{method.name}"
    for service in (BOOKING, EVENT)
    for method in service.methods
    if method.server_streaming
}


def wrongly_in(metric: str, expression: str) -> set[str]:
    """The methods that an expression takes into account and should not; of durations no stream's, which is its life."""
    unwanted = NOT_ASKED_BY_USERS | (STREAMS if "seconds" in metric else set())
    chosen = re.findall(metric + r'\{([^}]*side="server"[^}]*)\}', expression)
    patterns = [(re.search(r'method!~"([^"]*)"', one), re.search(r'method="([^"]*)"', one)) for one in chosen]
    return {
        method
        for left_out, only in patterns
        for method in unwanted
        if not (left_out and re.fullmatch(left_out[1], method)) and not (only and only[1] != method)
    }


@pytest.mark.parametrize("metric", ["grpc_requests_total", "grpc_request_duration_seconds_bucket"])
def test_only_what_users_ask_is_counted_and_only_what_ends_by_itself_is_timed(metric: str) -> None:
    asked = [rule["expr"] for rule in rules("recording.yml")]
    asked += [question.expression for board in dashboards().values() for question in questions(board)]
    assert any(metric in expression for expression in asked)
    assert {expression: found for expression in asked if (found := wrongly_in(metric, expression))} == {}


def test_methods_that_should_not_count_would_be_seen() -> None:
    assert {"event.EventService/WatchAvailability"} == STREAMS
    bucket = "grpc_request_duration_seconds_bucket"
    assert wrongly_in(bucket, f'{bucket}{{side="server", method!~"grpc[.].*"}}') == {OTHER, *STREAMS}
    assert wrongly_in("grpc_requests_total", 'grpc_requests_total{side="server"}') == NOT_ASKED_BY_USERS
