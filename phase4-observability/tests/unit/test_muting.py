"""Which alert keeps which other quiet, by the labels that alerts really have: promtool's tests know them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

PHASE = Path(__file__).resolve().parents[2]
_MATCHER = re.compile(r'(\w+) *(=~|!~|!=|=) *"?([^"]*)"?')

Labels = Mapping[str, str]
Rules = list[dict[str, Any]]


def inhibitions() -> Rules:
    rules: Rules = yaml.safe_load((PHASE / "alertmanager" / "alertmanager.yml").read_text())["inhibit_rules"]
    return rules


def fired() -> list[Labels]:
    """The labels of each alert, as it fires in promtool's tests."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(PHASE.glob("prometheus/tests/*.test.yml"))]
    return [
        {"alertname": case["alertname"], **alert["exp_labels"]}
        for file in files
        for test in file["tests"]
        for case in test.get("alert_rule_test", ())
        for alert in case["exp_alerts"]
    ]


def fits(matchers: list[str], alert: Labels) -> bool:
    return all(_holds(matcher, alert) for matcher in matchers)


def _holds(matcher: str, alert: Labels) -> bool:
    found = _MATCHER.fullmatch(matcher)
    assert found is not None, matcher
    label, how, wanted = found.groups()
    same = re.fullmatch(wanted if "~" in how else re.escape(wanted), alert.get(label, "")) is not None
    return same is not how.startswith("!")


def muted(alerts: list[Labels], rules: Rules) -> Iterator[tuple[Labels, Labels]]:
    """Pairs: the first keeps the second quiet. A label that both lack is equal, as Alertmanager sees it."""
    for rule in rules:
        sources = [alert for alert in alerts if fits(rule["source_matchers"], alert)]
        targets = [alert for alert in alerts if fits(rule["target_matchers"], alert)]
        for source in sources:
            for target in targets:
                if source is not target and all(source.get(label) == target.get(label) for label in rule["equal"]):
                    yield source, target


def names(alerts: list[Labels], rules: Rules) -> set[tuple[str, str]]:
    return {(source["alertname"], target["alertname"]) for source, target in muted(alerts, rules)}


def test_only_a_budget_that_burns_faster_keeps_the_slower_one_quiet() -> None:
    fast = ("Fast", "Steady")
    assert names(fired(), inhibitions()) == {
        (f"{promise}Burn{speed}", f"{promise}BurnSlow") for promise in ("Faults", "SlowBookings") for speed in fast
    }


def test_another_service_keeps_nobody_quiet() -> None:
    elsewhere = [{**alert, "job": "another"} for alert in fired() if alert["severity"] == "ticket"]
    pages = [alert for alert in fired() if alert["severity"] == "page"]
    assert names([*pages, *elsewhere], inhibitions()) == set()


def test_every_alert_says_which_service_it_is_about() -> None:
    assert [alert["alertname"] for alert in fired() if not alert.get("job")] == []


def test_what_is_muted_by_mistake_is_seen() -> None:
    """As it was: one replica that is away keeps the whole service quiet, and alerts without a job each other."""
    before = [
        ("severity = page", "severity = ticket"),
        ("alertname = TargetDown", "alertname != TargetDown"),
    ]
    rules: Rules = [{"source_matchers": [a], "target_matchers": [b], "equal": ["job"]} for a, b in before]
    away = {"alertname": "TargetDown", "severity": "page", "job": "booking-service", "instance": "a"}
    burns = {"alertname": "FaultsBurnFast", "severity": "page", "job": "booking-service"}
    waits, lag = {"alertname": "OutboxOld", "severity": "page"}, {"alertname": "ConsumerLag", "severity": "ticket"}
    assert names([away, burns], rules) == {("TargetDown", "FaultsBurnFast")}
    assert names([waits, lag], rules) == {("OutboxOld", "ConsumerLag")}
