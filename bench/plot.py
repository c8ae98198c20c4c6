"""The picture of a run: how long calls took, and how the rates compare."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.figures import percentile
from bench.report import Report

_COLOURS = {
    "echo": "#7f7f7f",
    "get": "#1f77b4",
    "create": "#d62728",
    "pgbench get": "#9ecae1",
    "pgbench create": "#f4a3a3",
    "bookings": "#1f77b4",
    "pgbench bookings": "#9ecae1",
    "hot event": "#d62728",
    "hot event, 8": "#ff9896",
    "hot event, 64": "#8c1d1d",
    "reserve in process": "#2ca02c",
    "pgbench reserve": "#98df8a",
    "sold out in process": "#9467bd",
    "phase 2's bookings": "#7f7f7f",
    "bookings, relay apart": "#9ecae1",
    "commit to Kafka": "#9467bd",
    "drain": "#d62728",
    "bare producer": "#f4a3a3",
    "consumer": "#2ca02c",
    "consumer without dedupe": "#98df8a",
    "bare consumer": "#c7e9c0",
    "bookings, off": "#7f7f7f",
    "bookings, on": "#1f77b4",
    "bookings, all traced": "#d62728",
    "bookings over gRPC": "#7f7f7f",
    "bookings over HTTP": "#1f77b4",
}
_READABLE: Any = {"font.size": 15, "axes.spines.top": False, "axes.spines.right": False}  # from the last row of a class


def draw(report: Report, path: Path) -> None:
    """Writes a PNG, 1600 by 700: latency distributions on the left, ratios on the right."""
    with mpl.rc_context(_READABLE):
        figure = Figure(figsize=(16, 7), dpi=100, layout="constrained")  # no pyplot: no window, no global state
        left, right = figure.subplots(1, 2, width_ratios=[3, 2])
        _latencies(left, report)
        _ratios(right, report)
        machine = report.machine
        figure.suptitle(
            f"Phase {report.phase}: {report.in_flight} calls in flight  ({machine['cores']} cores, {machine['cpu']})"
        )
        figure.savefig(path)


def _latencies(axes: Axes, report: Report) -> None:
    percents = [number / 2 for number in range(1, 200)]
    for name, rounds in report.rounds.items():
        pooled = sorted(latency for each in rounds for latency in each.latencies)
        line = [percentile(pooled, percent) * 1e3 for percent in percents]
        axes.plot(line, percents, label=name, color=_COLOURS.get(name), linewidth=3)
    axes.set(xscale="log", xlabel="milliseconds or less", ylabel="% of calls", title="Latency", ylim=(0, 100))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False)


def _ratios(axes: Axes, report: Report) -> None:
    names = list(report.ratios)[::-1]  # the first on top
    found = [report.ratios[name] for name in names]
    spread = [[each.median - each.low for each in found], [each.high - each.median for each in found]]
    colours = [_COLOURS[name.split(" ÷ ")[0]] for name in names]
    axes.barh(names, [each.median for each in found], xerr=spread, color=colours, capsize=6)
    for row, each in enumerate(found):
        axes.annotate(
            f"{each.median:.2f}", (each.high, row), (8, 0), textcoords="offset points", va="center", weight="bold"
        )
    highest = max(1.0, *(each.high for each in found))
    wide = highest > 10 * min(each.median for each in found)
    limits = (0.1, highest * 3) if wide else (0, highest * 1.15)
    axes.set(title="Rate ÷ rate of the reference", xscale="log" if wide else "linear", xlim=limits)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="black", linewidth=1)
