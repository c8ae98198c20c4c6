"""A dashboard of Grafana's as a picture, where no Grafana runs: the same files, the same questions to Prometheus.

    dashboard("overview", stack["prometheus"].address)

Panels stand where Grafana puts them, with their lines, limits and dots; colours and letters are the workbook's own.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from workbook.last_minutes import LastMinutes, Points
from workbook.phases import phase_folders
from workbook.pictures import AMBER, BLUE, COLOURS, GREEN, INK, image_of

Panel = Mapping[str, Any]
_COLOURS = {"green": GREEN, "yellow": "#eab308", "orange": AMBER, "red": "#ef4444", "blue": BLUE}
_COLUMNS = 24
_COLUMN, _ROW = 0.62, 0.42  # inches of a step of Grafana's grid
_LEGEND = 80  # letters in a row


def dashboard(name: str, prometheus: str, minutes: float = 15, **variables: str) -> None:
    """Shows one of `grafana/dashboards` as of now: "service", say, with service="event-service" chosen at its top."""
    display(dashboard_image(name, prometheus, minutes, **variables))  # type: ignore[no-untyped-call]


def dashboard_image(name: str, prometheus: str, minutes: float = 15, **variables: str) -> Image:
    """What `dashboard` shows; raises OSError when Prometheus does not answer."""
    board = json.loads((phase_folders()[4] / "grafana" / "dashboards" / f"{name}.json").read_text())
    return image_of(figure(board, LastMinutes(prometheus, minutes, variables)).axes[0])


def figure(board: Mapping[str, Any], watched: LastMinutes) -> Figure:
    """The panels of a board, each with axes of its own, in the board's order."""
    chosen = {each["name"]: each["current"]["value"] for each in board["templating"]["list"]}
    watched = LastMinutes(watched.address, watched.minutes, {**chosen, **watched.variables})
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    drawn = Figure(figsize=(_COLUMNS * _COLUMN, height * _ROW))
    for panel in board["panels"]:
        at, below = panel["gridPos"], 2.6 if panel["type"] == "timeseries" else 0.8
        left, bottom = (at["x"] + 1.6) / _COLUMNS, (height - at["y"] - at["h"] + below) / height
        axes = drawn.add_axes((left, bottom, (at["w"] - 2.1) / _COLUMNS, (at["h"] - below - 1.2) / height))
        axes.set_title(panel["title"], loc="left")
        _DRAWN[panel["type"]](axes, panel, watched)
    return drawn


def _number(axes: Axes, panel: Panel, watched: LastMinutes) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    found = [value for target in panel["targets"] for _, value in watched.now(target["expr"])]
    text = _with_unit(found[0], defaults["unit"]) if found else defaults.get("noValue", "no data")
    steps = [step for step in defaults["thresholds"]["steps"] if found and (step["value"] or 0) <= found[0]]
    axes.text(0, 0.4, text, fontsize=30, color=_COLOURS[steps[-1]["color"]] if steps else INK, weight="bold")
    axes.axis("off")


def _lines(axes: Axes, panel: Panel, watched: LastMinutes) -> None:
    defaults, named = panel["fieldConfig"]["defaults"], [*_named(panel, watched)]
    draw = _stack if "stacking" in defaults["custom"] else _beside
    draw(axes, named, [*_line_colours(panel, [name for name, _ in named])])
    for target in panel["targets"]:
        if target.get("exemplar") and (dots := watched.exemplars(target["expr"])):
            times, values = zip(*(place for _, place in dots), strict=True)
            axes.scatter(times, values, color=INK, marker="D", s=14, label="a request")
    _scale(axes, defaults, watched.minutes)
    _legend(axes, defaults.get("noValue", "no data"))


def _scale(axes: Axes, defaults: Mapping[str, Any], minutes: float) -> None:
    """Both axes, and the limits."""
    top = max(axes.get_ylim()[1] if axes.has_data() else 0, defaults["custom"].get("axisSoftMax", 0))
    axes.set(xlim=(-60 * minutes, 0), ylim=(0, top or 1))
    for step in defaults.get("thresholds", {"steps": []})["steps"][1:]:
        axes.axhline(step["value"], color=_COLOURS[step["color"]], linestyle="--")
    axes.xaxis.set_major_locator(MultipleLocator(60 * max(0.5, round(minutes / 4))))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 60:g} min" if value else "now")
    axes.yaxis.set_major_formatter(lambda value, _: _with_unit(value, defaults["unit"]))


def _legend(axes: Axes, otherwise: str) -> None:
    names = axes.get_legend_handles_labels()[1]
    if not names:
        axes.text(0.5, 0.5, otherwise, transform=axes.transAxes, ha="center")
        return
    columns = max(1, _LEGEND // (6 + max(map(len, names))))
    axes.legend(loc="upper left", bbox_to_anchor=(-0.03, -0.1), ncols=columns, fontsize=10, labelspacing=0.2)


def _named(panel: Panel, watched: LastMinutes) -> Iterator[tuple[str, Points]]:
    for target in panel["targets"]:
        for labels, points in watched.series(target["expr"]):
            yield _filled(target.get("legendFormat", ""), labels), points


def _line_colours(panel: Panel, names: list[str]) -> Iterator[str]:
    own = {
        rule["matcher"]["options"]: _COLOURS[rule["properties"][0]["value"]["fixedColor"]]
        for rule in panel["fieldConfig"]["overrides"]
    }
    others = cycle(colour for colour in COLOURS if colour not in own.values())
    return (own.get(name) or next(others) for name in names)


def _beside(axes: Axes, named: list[tuple[str, Points]], colours: list[str]) -> None:
    for (name, points), colour in zip(named, colours, strict=True):
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=2.5, label=name)


def _stack(axes: Axes, named: list[tuple[str, Points]], colours: list[str]) -> None:
    """Each upon the ones before it; where one has no value and another has, it is 0."""
    if not named:
        return
    moments = [*zip(*([value for _, value in points] for _, points in named), strict=True)]
    filled = [
        [0 if math.isnan(value) and not all(map(math.isnan, moment)) else value for value in moment]
        for moment in moments
    ]
    times = [at for at, _ in named[0][1]]
    names = [name for name, _ in named]
    axes.stackplot(times, *zip(*filled, strict=True), labels=names, colors=colours, alpha=0.7)


def _bars(axes: Axes, panel: Panel, watched: LastMinutes) -> None:
    (target,), unit = panel["targets"], panel["fieldConfig"]["defaults"]["unit"]
    rows = [(_filled(target.get("legendFormat", ""), labels), value) for labels, value in watched.now(target["expr"])]
    drawn = axes.barh([name for name, _ in rows], [value for _, value in rows], color=BLUE)
    axes.bar_label(drawn, labels=[f" {_with_unit(value, unit)}" for _, value in rows], color=INK)
    axes.invert_yaxis()
    axes.set(xticks=[])


_DRAWN = {"stat": _number, "timeseries": _lines, "bargauge": _bars}


def _filled(form: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), form)


def _with_unit(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s":
        return f"{value:.3g} s" if value >= 1 or not value else f"{1000 * value:.3g} ms"
    return f"{value:,.4g}" + {"reqps": " /s", "cps": " /s", "cpm": " /min"}.get(unit, "")
