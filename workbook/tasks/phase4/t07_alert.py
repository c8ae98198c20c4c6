"""Task 4.7: an alert, tried by promtool on outboxes that were made up."""

import re
from typing import Any

import yaml

from workbook.lesson.task import Task, Wrong, wants
from workbook.phases import ROOT
from workbook.props.figures import figures_in, known_figures
from workbook.props.promtool import not_so, problem_of_rules
from workbook.tasks.phase4.outboxes import ALERT, CASES
from workbook.tasks.phase4.wrong_alert import WRONG

RUNBOOK = "phase4-observability/runbook.md"
PARAGRAPH = "outboxold"
SEVERITIES = ("page", "ticket")


def check(rules: str) -> str:
    """What a person needs of it is read, what it does is tried."""
    rule = _rule(rules)
    expression = str(rule.get("expr"))
    if unknown := [name for name in figures_in(expression) if name not in known_figures()]:
        raise Wrong(f"{ALERT} asks for {unknown[0]}, which nobody has: see phase4-observability/signals.toml")
    _for_people(rule)
    wants("prometheus-tools")
    if problem := problem_of_rules(rules):
        raise Wrong(f"Prometheus does not take it: {problem}")
    failed = not_so(rules, [case.question for case in CASES])
    if failed:
        raise Wrong(f"{expression}, for {rule.get('for', 'no time')}: {CASES[failed[0]].told}")
    return f"{len(CASES)} looks at outboxes: it fires when it should, and lets you sleep when it should"


def _rule(rules: str) -> dict[str, Any]:
    if not isinstance(rules, str):
        raise Wrong(f"RULES is {rules!r}: the text of a file is wanted, as Prometheus reads it")
    try:
        loaded = yaml.safe_load(rules)
    except yaml.YAMLError as error:
        raise Wrong(f"RULES is no YAML: {error}") from error
    groups = loaded.get("groups") if isinstance(loaded, dict) else None
    if not isinstance(groups, list):
        raise Wrong("RULES begins with `groups:`, a list; a group has a name and rules, a list")
    found = [rule for group in groups for rule in group.get("rules") or [] if rule.get("alert") == ALERT]
    if len(found) != 1:
        raise Wrong(f"one rule with `alert: {ALERT}` is wanted in RULES, there are {len(found)}")
    return dict(found[0])


def _for_people(rule: dict[str, Any]) -> None:
    severity = (rule.get("labels") or {}).get("severity")
    if severity not in SEVERITIES:
        raise Wrong(
            f"its label severity is {severity!r}: Alertmanager knows by it whom to tell. page wakes somebody, ticket "
            "waits until morning"
        )
    told = rule.get("annotations") or {}
    if not re.search(r"{{[^}]*\$value", str(told.get("summary"))):
        raise Wrong(
            f"its annotation summary is {told.get('summary')!r}. Say in a sentence what is wrong, and how long the "
            "oldest message has waited: {{ $value | humanizeDuration }}"
        )
    page, _, paragraph = str(told.get("runbook")).partition("#")
    if page != RUNBOOK or paragraph not in _paragraphs():
        raise Wrong(
            f"its annotation runbook is {told.get('runbook')!r}. Whoever is woken at three wants to read what to do: "
            f"{RUNBOOK}#…, with a paragraph that is there"
        )
    if paragraph != PARAGRAPH:
        raise Wrong(f"its runbook leads to {paragraph}; the paragraph about an old outbox is {PARAGRAPH}")


def _paragraphs() -> list[str]:
    return [line.removeprefix("## ").lower() for line in (ROOT / RUNBOOK).read_text().splitlines() if line[:3] == "## "]


TASK = Task(
    id="4.7",
    title="An alert",
    names=("RULES",),
    hints=(
        (
            "Look at OutboxOld in phase4-observability/prometheus/alerts.yml: expr says when something is wrong, for "
            "says how long it must stay so. Which of several copies' figures counts?"
        ),
        (
            "The figure is outbox_oldest_seconds, a gauge, in seconds; each copy of booking-service shows it. One "
            "alert for all of them: max(…) > 10. Then for, labels and annotations."
        ),
        (
            "groups: → - name: mine → rules: → - alert: OutboxWaits, expr: max(outbox_oldest_seconds) > 10, for: 5s, "
            "labels: {severity: page}, annotations with summary and runbook. Quote a summary that begins with a brace."
        ),
    ),
    check=check,
    wrong=WRONG,
)
