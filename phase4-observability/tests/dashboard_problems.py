"""What is wrong with the dashboards, without a Grafana that could say so."""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations
from typing import Any

from tests.dashboards import PHASE, Dashboards, questions, rules, selectors, sources

Board = Mapping[str, Any]
UNITS = {"none", "s", "percentunit", "reqps", "cps", "cpm"}  # ids of Grafana's; an unknown one is shown as a word
COLUMNS = 24
_MATCHER = re.compile(r'(\w+) *(?:=~|!~|!=|=) *"')
_TOO_FEW = re.compile(r" unless [\w:]+ < \d+$")
_LIMIT = re.compile(r"(.+?) > ([\d.]+(?: \* [\d.]+)?)")


def problems(boards: Dashboards) -> list[str]:
    """In words; empty when all is well."""
    told: list[Callable[[str, Board], Iterator[str]]] = [_head, _panels, _places, _variables, _metrics]
    return [
        *(f"{name}: {problem}" for name, board in boards.items() for look in told for problem in look(name, board)),
        *_links(boards),
        *_alerts(boards),
    ]


@cache
def known_labels() -> dict[str, set[str]]:
    """The labels of each metric that a service shows, a rule records, or Prometheus makes itself."""
    table = tomllib.loads((PHASE / "signals.toml").read_text())
    told = [table["every-service"], *table["services"].values()]
    known = {"up": set(), "process_cpu_seconds_total": set(), "ALERTS": {"alertstate", "alertname", "severity"}}
    for family, labels in (shown for one in told for shown in one["metrics"].items()):
        ends = ("_bucket", "_count", "_sum") if "le" in labels else ("", "_total")
        known |= {family + end: set(labels) for end in ends}
    recorded = {rule["record"] for rule in rules("recording.yml")}
    known |= {name: set(name.partition(":")[0].split("_")) for name in recorded}
    return {name: {*labels, "job", *(() if name in recorded else ("instance",))} for name, labels in known.items()}


def _head(name: str, board: Board) -> Iterator[str]:
    if board.get("uid") != f"tickets-{name}":
        yield "its uid is not that of its file"
    if board.get("schemaVersion") != 42:
        yield "schemaVersion is not 42, Grafana 13's"
    if "tickets" not in board.get("tags", []):
        yield "no other dashboard links to it: the tag is missing"
    if not any(link.get("tags") == ["tickets"] for link in board.get("links", [])):
        yield "it links to no other dashboard"
    if not board.get("title") or not board.get("description"):
        yield "it has no title, or no description"


def _panels(_name: str, board: Board) -> Iterator[str]:
    counted = Counter(panel.get("id") for panel in board["panels"])
    yield from (f"{count} panels have the id {number}" for number, count in counted.items() if count > 1)
    for panel in board["panels"]:
        what = f"panel {panel.get('title') or panel.get('id')!r}"
        yield from (f"{what} has no {key}" for key in ("id", "title", "description", "targets") if not panel.get(key))
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield f"{what} has no unit"
        if panel.get("datasource", {}).get("uid") not in sources():
            yield f"{what} asks a data source that nobody provisions"
        levels = _thresholds(panel)
        above = [level for level in levels if level is not None]
        if levels and levels != [None, *sorted(above)]:
            yield f"{what} has thresholds that do not begin at the bottom, or do not rise"


def _places(_name: str, board: Board) -> Iterator[str]:
    places = [(panel.get("title"), panel["gridPos"]) for panel in board["panels"]]
    yield from (f"panel {title!r} is too wide" for title, at in places if at["x"] < 0 or at["x"] + at["w"] > COLUMNS)
    for (one, a), (other, b) in combinations(places, 2):
        if all(a[p] < b[p] + b[size] and b[p] < a[p] + a[size] for p, size in (("x", "w"), ("y", "h"))):
            yield f"panels {one!r} and {other!r} lie on each other"


def _variables(_name: str, board: Board) -> Iterator[str]:
    used = {name for asked in questions(board) for name in re.findall(r"\$\{?(?!__)([a-z]\w*)", asked.expression)}
    there = {variable["name"] for variable in board["templating"]["list"]}
    yield from (f"there is no variable ${name}" for name in sorted(used - there))
    yield from (f"nobody uses the variable ${name}" for name in sorted(there - used))


def _metrics(_name: str, board: Board) -> Iterator[str]:
    known = known_labels()
    for asked in questions(board):
        for selector, name in selectors(asked.expression).items():
            if name not in known:
                yield f"{asked.where} asks for {name}, which nobody shows"
                continue
            for label in sorted(set(_MATCHER.findall(selector)) - known[name]):
                yield f"{asked.where} asks {name} for a label {label}, which it does not have"


def _links(boards: Dashboards) -> Iterator[str]:
    by_uid = {board.get("uid"): board for board in boards.values()}
    for name, board in boards.items():
        for uid, arguments in re.findall(r"/d/([\w-]+)\??([^\"']*)", str(board["panels"])):
            there = {each["name"] for each in by_uid[uid]["templating"]["list"]} if uid in by_uid else None
            wanted = set(re.findall(r"var-(\w+)=", arguments))
            if there is None or not wanted <= there:
                yield f"{name}: a link leads to {uid} with {sorted(wanted)}, which is not there"


def _alerts(boards: Dashboards) -> Iterator[str]:
    """Whoever is called by an alert finds a panel that shows its figure, and its limit in it."""
    known = {rule["alert"] for rule in rules("alerts.yml")}
    for alert in sorted(set(re.findall(r"Alert: (\w+)", str(boards))) - known):
        yield f"there is no alert {alert}"
    lines = {(metric, limit) for board in boards.values() for metric, limit in _drawn(board)}
    for rule in rules("alerts.yml"):
        for metric, limit in limits(rule["expr"]):
            if not any(metric == drawn and math.isclose(limit, line) for drawn, line in lines):
                yield f"no panel of {metric} shows the limit of {rule['alert']}, {limit:g}"


def limits(expression: str) -> Iterator[tuple[str, float]]:
    """The metrics of an alert, each with the figure above which it fires; of what is counted in whole things, 1.

    What is absent has no figure.
    """
    if expression.startswith("absent("):
        return
    for condition in _TOO_FEW.sub("", expression).replace(" == 0", " > 0").split(" and "):
        found = _LIMIT.fullmatch(condition)
        assert found is not None, condition
        (metric,) = selectors(found[1]).values()
        yield metric, math.prod(map(float, found[2].split(" * "))) or 1


def _drawn(board: Board) -> Iterator[tuple[str, float]]:
    """The metrics of a board with the thresholds of their panels; of `… / 0.005` the threshold times 0.005."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            divided = re.search(r" / ([\d.]+)$", target["expr"])
            scale = float(divided[1]) if divided else 1
            for metric in selectors(target["expr"]).values():
                yield from ((metric, scale * value) for value in _thresholds(panel) if value is not None)


def _thresholds(panel: Mapping[str, Any]) -> list[float | None]:
    """None stands for the bottom."""
    return [step["value"] for step in panel["fieldConfig"]["defaults"].get("thresholds", {"steps": []})["steps"]]
