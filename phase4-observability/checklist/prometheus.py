"""A Prometheus, asked over its HTTP API: whom it asks, which rules it has, which alerts are on, and what is what."""

import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from typing import Any

from checklist.page import Figures, series

from workbook.checks.parts import opened
from workbook.checks.verdict import Wrong

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_LONGEST = 30  # seconds that an alert is waited for, at most


@dataclass(frozen=True, slots=True)
class Rule:
    """`seconds` is how long an alert's expression must hold before it fires."""

    name: str
    query: str
    health: str
    error: str
    is_alert: bool
    seconds: float
    annotations: Mapping[str, str]

    @property
    def watches_targets(self) -> bool:
        """Whether it is about parts that do not answer."""
        return self.is_alert and bool(re.search(r"\b(up|probe_success|absent|absent_over_time)\b", self.query))


class Prometheus:
    def __init__(self, address: str, patience: float) -> None:
        self.address = address
        self._patience = patience

    def targets(self) -> Sequence[Mapping[str, Any]]:
        """Those it asks, each with its `health`, `labels` and `lastError`."""
        found: Sequence[Mapping[str, Any]] = self._asked("targets?state=active")["activeTargets"]
        return found

    def rules(self) -> list[Rule]:
        groups = self._asked("rules")["groups"]
        return [_rule_of(rule) for group in groups for rule in group["rules"]]

    def alerts(self, *names: str) -> set[str]:
        """Those of these names that are pending or firing, each with what it is about."""
        on = [each["labels"] for each in self._asked("alerts")["alerts"]]
        told = ((each["alertname"], each.get("job", ""), each.get("instance", "")) for each in on)
        return {" ".join(filter(None, words)) for words in told if words[0] in names}

    def names(self) -> set[str]:
        """All metrics it has figures of."""
        return set(self._asked("label/__name__/values"))

    def query(self, expression: str) -> list[Mapping[str, Any]]:
        """The series that an expression is now; one without labels for a number."""
        found = self._asked(f"query?{urllib.parse.urlencode({'query': expression})}")
        return [{"metric": {}}] if found["resultType"] in {"scalar", "string"} else list(found["result"])

    def figures_by_target(self, *names: str) -> list[Figures]:
        """What it last heard of these metrics from each target, without the labels that it adds by itself."""
        known = {_place(target["labels"]): set(target["labels"]) for target in self.targets()}
        found: dict[tuple[str, ...], dict[Any, float]] = {}
        for each in self.query(f'{{__name__=~"{"|".join(names)}"}}'):
            place = _place(each["metric"])
            added = {"__name__", *_PLACE, *known.get(place, ())}
            labels = {name: value for name, value in each["metric"].items() if name not in added}
            found.setdefault(place, {})[series(each["metric"]["__name__"], **labels)] = float(each["value"][1])
        return list(found.values())

    @cached_property
    def patience(self) -> float:
        """Seconds within which an alert comes on, or off: a look that is not answered, and two more of the rules."""
        looks = [_seconds(each.get("scrapeInterval", "15s")) for each in self.targets()]
        groups = [float(each.get("interval", 15)) for each in self._asked("rules")["groups"]]
        return min(4 * max(looks, default=15) + 2 * max(groups, default=0) + 2, _LONGEST)

    def _asked(self, what: str) -> Any:
        try:
            with opened(f"http://{self.address}/api/v1/{what}", self._patience) as answer:
                return json.load(answer)["data"]
        except (OSError, HTTPException, ValueError, KeyError) as error:
            said = f"Prometheus at {self.address} did not answer /api/v1/{what[:60]} ({error})"
            raise Wrong(said, "give the address of a Prometheus, version 2 or later") from error


def metrics_in(expression: str) -> set[str]:
    """The names of the metrics that an expression asks for."""
    bare = _bare(expression)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\boffset\s+-?\w+", " ", bare)
    names = re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])", bare)
    return {name for name in names if name.lower() not in _WORDS}


def may_be_empty(expression: str) -> bool:
    """Whether an expression comes to nothing when all is well: it compares, or shows alerts."""
    return bool(re.search(r"[<>]|[!=]=", _bare(expression))) or "ALERTS" in expression


def _bare(expression: str) -> str:
    """Without strings, labels and windows."""
    without = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', "", expression)
    return re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", without)


_PLACE = ("job", "instance")
_WORDS = {"and", "or", "unless", "bool", "by", "without", "on", "ignoring", "group_left", "group_right"} | {
    *("inf", "nan", "offset", "start", "end", "atan2"),
    *("sum", "avg", "min", "max", "count", "topk", "bottomk", "quantile", "stddev", "stdvar", "group", "count_values"),
}


def _place(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in _PLACE)


def _rule_of(rule: Mapping[str, Any]) -> Rule:
    return Rule(
        name=rule["name"],
        query=rule["query"],
        health=rule.get("health", "unknown"),
        error=rule.get("lastError", ""),
        is_alert=rule["type"] == "alerting",
        seconds=float(rule.get("duration", 0)),
        annotations=rule.get("annotations") or {},
    )


def _seconds(written: str) -> float:
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|[smhdwy])", written))
