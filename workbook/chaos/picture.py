"""The picture of a run: its faults, how calls were answered, and how many tickets each event had left."""

from collections import Counter
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workbook.chaos.history import OK, REFUSED, UNKNOWN, WRONG, History
from workbook.chaos.plan import PARTS, TELLING

_FAULTS = {"kill": "#d62728", "pause": "#ff7f0e", "restart": "#7f7f7f"}
_OUTCOMES = {OK: "#2ca02c", REFUSED: "#1f77b4", UNKNOWN: "#ff7f0e", WRONG: "#d62728"}
_READABLE: Any = {"font.size": 13, "axes.spines.top": False, "axes.spines.right": False}
_STEPS = 150  # columns in which answers are counted


def draw(history: History, title: str, path: Path) -> None:
    """Writes a PNG, 1600 by 900."""
    with mpl.rc_context(_READABLE):
        figure = Figure(figsize=(16, 9), dpi=100, layout="constrained")  # no pyplot: no window, no global state
        faults, answers, tickets = figure.subplots(3, 1, sharex=True, height_ratios=[1, 2, 2])
        _faults(faults, history)
        _answers(answers, history)
        _tickets(tickets, history)
        tickets.set_xlabel("seconds")
        figure.suptitle(title)
        figure.savefig(path)


def _faults(axes: Axes, history: History) -> None:
    hit = {fault.part for fault in history.faults}
    parts = [part for part in (*PARTS, *TELLING) if part in PARTS or part in hit]
    for row, part in enumerate(reversed(parts)):
        for kind, colour in _FAULTS.items():
            spans = [(f.began, f.ended - f.began) for f in history.faults if (f.part, f.kind) == (part, kind)]
            axes.broken_barh(spans, (row - 0.35, 0.7), color=colour, label=kind if row == 0 else None)
    axes.set_yticks(range(len(parts)), parts[::-1])
    axes.set(title="Faults, until the part answered again", ylim=(-0.5, len(parts) - 0.5))
    _legend(axes)


def _answers(axes: Axes, history: History) -> None:
    width = max((call.ended for call in history.calls), default=1.0) / _STEPS
    counted = {outcome: Counter[int]() for outcome in _OUTCOMES}
    for call in history.calls:
        counted[call.outcome][int(call.ended / width)] += 1
    moments = [step * width for step in range(_STEPS + 1)]
    rates = [[counts[step] / width for step in range(_STEPS + 1)] for counts in counted.values()]
    axes.stackplot(moments, rates, labels=list(counted), colors=list(_OUTCOMES.values()), alpha=0.8)
    axes.set(title="Answers a second", ylim=(0, None))
    _legend(axes)


def _tickets(axes: Axes, history: History) -> None:
    looks = [call for call in history.calls if call.what == "look" and call.outcome == OK]
    for number, event in enumerate(dict.fromkeys(call.event for call in looks), start=1):
        seen = sorted((call.ended, call.tickets) for call in looks if call.event == event)
        axes.step([at for at, _ in seen], [left for _, left in seen], where="post", label=f"event {number}")
    axes.set(title="Tickets left", ylim=(0, None))
    _legend(axes)


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
