"""The dashboards and data sources in git as Grafana reads them, and what they ask Prometheus."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PHASE = Path(__file__).resolve().parents[1]
GRAFANA = PHASE / "grafana"
_NO_SELECTOR = re.compile(
    r"\b(?:by|without) \([^)]*\)|\[(?:\$\w+|\d+[smhd])\]|\b(?:and|or|unless)\b|\boffset \d+[smhd]\b|, *\"[^\"]*\""
)
_SELECTOR = re.compile(r"(?<![\w:.])([a-zA-Z_:][\w:]*+)(?:\{[^}]*\})?(?! *\()")

Dashboards = dict[str, dict[str, Any]]


def dashboards() -> Dashboards:
    """Each by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(GRAFANA.glob("dashboards/*.json"))}


@cache
def rules(file: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((PHASE / "prometheus" / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@cache
def sources() -> dict[str, dict[str, Any]]:
    """What Grafana is told of whom to ask, by uid, as it reads the file."""
    told = yaml.safe_load(expanded((GRAFANA / "provisioning" / "datasources" / "all.yml").read_text()))
    return {source["uid"]: source for source in told["datasources"]}


def expanded(text: str) -> str:
    """As Grafana reads a file of provisioning in its container, where this is all it knows of the environment."""
    known = {"$$": "$", "${JAEGER_PORT}": "16686"}
    return re.sub(r"\$\$|\$\{[^}]*\}|\$\w+", lambda found: known.get(found[0], ""), text)


@dataclass(frozen=True)
class Question:
    """What a panel, a variable or an annotation asks; `where` says which. Those that `may_be_empty` say so."""

    where: str
    expression: str
    exemplar: bool = False
    may_be_empty: bool = False


def questions(board: Mapping[str, Any]) -> Iterator[Question]:
    for panel in board["panels"]:
        may_be_empty = "noValue" in panel["fieldConfig"]["defaults"]
        for target in panel["targets"]:
            where = f"{board['title']}: {panel['title']}"
            yield Question(where, target["expr"], target.get("exemplar", False), may_be_empty)
    for variable in board["templating"]["list"]:
        asked = re.fullmatch(r"label_values\((.*), *\w+\)", variable["query"]["query"])
        yield Question(f"{board['title']}: ${variable['name']}", asked[1] if asked else variable["query"]["query"])
    for annotation in board["annotations"]["list"]:
        yield Question(f"{board['title']}: {annotation['name']}", annotation["target"]["expr"])


def selectors(expression: str) -> dict[str, str]:
    """The names of the metrics that an expression asks for, by the whole selector."""
    return {each[0]: each[1] for each in _SELECTOR.finditer(_NO_SELECTOR.sub("", expression))}
