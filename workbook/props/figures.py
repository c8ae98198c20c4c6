"""Which figures and labels the system has, as phase 4 writes them down; and what a PromQL expression asks for."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache

import yaml

from workbook.phases import ROOT

_PHASE = ROOT / "phase4-observability"
_NOT_FIGURES = re.compile(
    r"""\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)  # lists of labels
    |\{[^}]*\}|\[[^\]]*\]                                              # matchers and ranges
    |\b[a-z_0-9]+\s*(?=\()                                             # functions
    |\b(?:sum|avg|min|max|count|group|topk|bottomk|stddev|stdvar|quantile|count_values)\b
    |\b(?:and|or|unless|bool|offset|inf|nan)\b
    |\b[\d.]+(?:e[+-]?\d+|[smhdwy]+)?""",
    re.VERBOSE | re.IGNORECASE,
)
_FIGURE = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
_LABELS = re.compile(
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)|([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=(?!=))"
)
_GIVEN = frozenset({"job", "instance"})  # by Prometheus, to each
_AT_REST = frozenset({"db_pool_errors", "db_pool_wait_seconds"})  # counters that bookings alone do not move
_BESIDES = {"up": frozenset[str]()}


@cache
def known_figures() -> Mapping[str, frozenset[str]]:
    """Each series by its name, with its labels: as a page of figures has them, and as rules work them out."""
    told = tomllib.loads((_PHASE / "signals.toml").read_text())
    grows = str([service.get("grows") for service in told["services"].values()])
    found: dict[str, frozenset[str]] = dict(_BESIDES)
    for part in (told["every-service"], *told["services"].values()):
        for name, labels in part["metrics"].items():
            found.update({each: frozenset(labels) for each in _series(name, labels, grows)})
    return {name: labels | _GIVEN for name, labels in (found | dict(_recorded())).items()}


def figures_in(expression: str) -> list[str]:
    """The names of the series that it asks for, each once."""
    rest = _NOT_FIGURES.sub(" ", _STRING.sub('""', expression))
    return list(dict.fromkeys(_FIGURE.findall(rest)))


def labels_in(expression: str) -> list[str]:
    """The labels that it names, in matchers and in lists, each once."""
    found = _LABELS.findall(_STRING.sub('""', expression))
    return list(dict.fromkeys(label.strip() for listed, one in found for label in (listed or one).split(",") if label))


def _series(name: str, labels: list[str], grows: str) -> list[str]:
    """A histogram has three; a counter's name ends in _total."""
    if "le" in labels:
        return [f"{name}_bucket", f"{name}_sum", f"{name}_count"]
    return [f"{name}_total"] if name in _AT_REST or f"{name}_total" in grows else [name]


def _recorded() -> Iterator[tuple[str, frozenset[str]]]:
    rules = yaml.safe_load((_PHASE / "prometheus" / "recording.yml").read_text())
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        yield rule["record"], frozenset(rule["record"].partition(":")[0].split("_"))
