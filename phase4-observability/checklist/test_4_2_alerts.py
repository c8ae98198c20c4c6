"""4.2 Prometheus, alert rules and dashboards work."""

import pytest
from checklist.holding import Held
from checklist.outcomes import CONTRACT
from checklist.prometheus import Prometheus, Rule, metrics_in
from checklist.sales import comes_true

from workbook.checks.verdict import expect, not_run

NOTES = ("summary", "runbook")


@pytest.fixture
def alerts(prometheus: Prometheus) -> list[Rule]:
    found = [rule for rule in prometheus.rules() if rule.is_alert]
    if not found:
        not_run("needs an alert rule, see above")
    return found


def test_there(prometheus: Prometheus) -> None:
    """There are alert rules."""
    found = [rule for rule in prometheus.rules() if rule.is_alert]
    expect(found, "Prometheus has no alert rule", "write one, and name its file under rule_files")


@pytest.mark.usefixtures("visit")
def test_healthy(prometheus: Prometheus) -> None:
    """Every rule can be worked out."""
    comes_true(lambda: all(rule.health == "ok" for rule in prometheus.rules()), prometheus.patience)
    sick = [rule for rule in prometheus.rules() if rule.health != "ok"]
    said = f"the rule {sick[0].name} is {sick[0].health}: {sick[0].error[:160]}" if sick else ""
    expect(not sick, said, "try its expression in Prometheus: the error says what does not go together")


@pytest.mark.usefixtures("visit")
def test_looks_at_something(prometheus: Prometheus, alerts: list[Rule]) -> None:
    """Every alert looks at metrics that there are."""
    idle = [(alert, name) for alert in alerts if "absent" not in alert.query for name in _unknown(prometheus, alert)]
    if idle:
        _needs_contract(alerts)  # else it may come with the first of what it counts
    said = f"{idle[0][0].name} asks for {idle[0][1]}, and nobody shows that: it can never fire" if idle else ""
    expect(not idle, said, "correct the name; promtool test rules shows an alert firing and not firing")


@pytest.mark.parametrize("note", NOTES)
def test_notes(alerts: list[Rule], note: str) -> None:
    """Every alert says what is wrong, and where it stands what to do."""
    _needs_contract(alerts)
    silent = [alert.name for alert in alerts if not any(name.startswith(note) for name in alert.annotations)]
    said = f"{', '.join(silent[:3])} has no annotation {note}"
    expect(not silent, said, "whoever is woken up reads the summary first, and then the runbook")


def test_waits(alerts: list[Rule]) -> None:
    """An alert that a part does not answer waits for a while: a restart wakes nobody."""
    hasty = [alert.name for alert in _of_targets(alerts) if not alert.seconds]
    if hasty:
        _needs_contract(alerts)
    expect(not hasty, f"{', '.join(hasty)} has no `for`", "let it wait a minute: for: 1m")


def test_noticed(alerts: list[Rule], held: Held) -> None:
    """A service that stops is noticed: the alert is pending, or firing."""
    names = ", ".join(alert.name for alert in _of_targets(alerts))
    if not held.noticed:
        _needs_contract(alerts)
    said = f"the event service was paused, and {names} stayed off"
    expect(held.noticed, said, "let it look at `up` of each target, or at what its labels really are")


def test_over(alerts: list[Rule], held: Held) -> None:
    """When the service is back, the alert goes off again."""
    _of_targets(alerts)
    if not held.noticed:
        not_run("needs an alert that comes on, see above")
    if held.stayed:
        _needs_contract(alerts)
    said = f"{', '.join(held.stayed)} is still on long after the event service was back"
    expect(not held.stayed, said, "let the expression look at now, and leave out keep_firing_for")


def _of_targets(alerts: list[Rule]) -> list[Rule]:
    found = [alert for alert in alerts if alert.watches_targets]
    if not found:
        not_run("needs an alert on `up`: the roadmap does not say which alerts there are")
    return found


def _unknown(prometheus: Prometheus, alert: Rule) -> set[str]:
    wanted = metrics_in(alert.query)
    comes_true(lambda: wanted <= prometheus.names(), prometheus.patience)
    return wanted - prometheus.names()


def _needs_contract(alerts: list[Rule]) -> None:
    """Ends the check without a verdict where alerts have nothing of what this workbook adds."""
    if not any(name.startswith(NOTES) for alert in alerts for name in alert.annotations):
        not_run(f"needs alerts with a summary and a runbook: {CONTRACT}")
