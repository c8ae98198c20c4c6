"""The few kinds of picture that lessons need. Transparent, in mid tones: readable on paper, in the dark, on a wall."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import cycle
from math import log10
from statistics import quantiles
from typing import Any

import matplotlib as mpl
from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

BLUE, GREEN, AMBER, PINK, VIOLET = "#3b82f6", "#16a34a", "#d97706", "#db2777", "#8b5cf6"
COLOURS = (BLUE, GREEN, AMBER, PINK, VIOLET)
INK = "#808080"  # 4:1 on white and on black
_ROW = 16  # bytes in a row

mpl.rcParams.update(
    {
        "font.size": 13,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "savefig.transparent": True,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)


def message_bytes(raw: bytes, parts: Sequence[tuple[int, str]]) -> None:
    """The bytes of a message in hexadecimal, coloured by part; `parts` are lengths in bytes with labels, in order."""
    if sum(length for length, _ in parts) != len(raw):
        raise ValueError(f"the parts have {sum(length for length, _ in parts)} bytes, the message has {len(raw)}")
    owners = [number for number, (length, _) in enumerate(parts) for _ in range(length)]
    rows = (len(raw) + _ROW - 1) // _ROW
    axes = _axes(height=0.5 * rows + 0.36 * len(parts) + 0.3)
    for position, (byte, owner) in enumerate(zip(raw, owners, strict=True)):
        row, column = divmod(position, _ROW)
        colour = COLOURS[owner % len(COLOURS)]
        box = {"boxstyle": "round,pad=0.25", "facecolor": colour, "edgecolor": "none"}
        axes.text(
            column, -row * 1.4, f"{byte:02x}", color="white", family="monospace", ha="center", va="center", bbox=box
        )
    for number, (length, label) in enumerate(parts):
        text = f"{length:>3} {'byte ' if length == 1 else 'bytes'}  {label}"
        colour = COLOURS[number % len(COLOURS)]
        axes.text(-0.4, -rows * 1.4 - number, text, color=colour, family="monospace", va="center", weight="bold")
    axes.set(xlim=(-0.7, _ROW - 0.3), ylim=(-rows * 1.4 - len(parts) + 0.3, 0.9))
    axes.axis("off")
    _show(axes)


def latencies(samples: Mapping[str, Sequence[float]]) -> None:
    """How long calls took, in seconds, as distributions in milliseconds on a log scale; p50 and p99 marked."""
    axes = _axes(height=1.1 + 0.9 * len(samples))
    for number, seconds in enumerate(samples.values(), start=1):
        times = [log10(1000 * second) for second in seconds]  # smoothed as it is drawn
        cuts = quantiles(times, n=100)
        (shape,) = _bodies(axes.violinplot([times], [number], orientation="horizontal", showextrema=False, widths=0.7))
        shape.set(facecolor=COLOURS[(number - 1) % len(COLOURS)], alpha=0.5)
        for value, label, side in ((cuts[49], "p50", "right"), (cuts[98], "p99", "left")):  # so that they never meet
            axes.plot([value, value], [number - 0.3, number + 0.3], color=INK)
            axes.annotate(f" {label} {10**value:,.3g} ms ", (value, number + 0.38), ha=side, va="bottom", fontsize=11)
    axes.set(xlabel="milliseconds", ylim=(0.4, len(samples) + 0.85))
    axes.margins(x=0.15)
    axes.xaxis.set_major_locator(MultipleLocator(1 / 3))
    axes.xaxis.set_major_formatter(lambda value, _: f"{float(f'{10**value:.2g}'):,g}")
    axes.set_yticks(range(1, len(samples) + 1), [*samples])
    _show(axes)


def _bodies(drawn: Any) -> list[Any]:
    return list(drawn["bodies"])


def bars(values: Mapping[str, float], unit: str) -> None:
    """A few numbers beside each other, each written at its bar."""
    axes = _axes(height=0.8 + 0.5 * len(values))
    names = [*values][::-1]
    drawn = axes.barh(
        names, [values[name] for name in names], color=[c for c, _ in zip(cycle(COLOURS), names, strict=False)][::-1]
    )
    axes.bar_label(drawn, labels=[f" {_short(values[name])} {unit}" for name in names], color=INK)
    axes.set(xlim=(0, max(values.values()) * 1.5), xticks=[])
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(length=0)
    _show(axes)


def _short(number: float) -> str:
    """Four digits, or all of a whole number that has more."""
    four = f"{number:,.4g}"
    return f"{number:,.0f}" if "e+" in four else four


def calls(made: Sequence[tuple[str, str, str, float, float]]) -> None:
    """Who called whom, when: (caller, callee, name, start, end), times in seconds from any zero."""
    zero = min(start for *_, start, _ in made)
    lanes = list(dict.fromkeys(name for caller, callee, *_ in made for name in (caller, callee)))
    axes = _axes(height=1.2 + 0.55 * len(made))
    for number, (caller, callee, name, start, end) in enumerate(made):
        row, colour = len(made) - number, COLOURS[lanes.index(callee) % len(COLOURS)]
        axes.barh(row, (end - start) * 1000, left=(start - zero) * 1000, height=0.5, color=colour, alpha=0.8)
        axes.text((start - zero) * 1000, row + 0.28, f"{caller} → {callee}  {name}", fontsize=11, va="bottom")
    axes.set(xlabel="milliseconds", yticks=[], ylim=(0.5, len(made) + 1))
    _show(axes)


def ledger(lines: Mapping[str, Sequence[float]], x: Sequence[float], xlabel: str = "seconds", ylabel: str = "") -> None:
    """Numbers over time, one line each, named where it ends."""
    display(ledger_image(lines, x, xlabel, ylabel))  # type: ignore[no-untyped-call]


def ledger_image(
    lines: Mapping[str, Sequence[float]], x: Sequence[float], xlabel: str = "seconds", ylabel: str = ""
) -> Image:
    """What `ledger` shows, for a picture that is drawn again while it grows."""
    axes = _axes(height=3.6)
    most = max(max(values) for values in lines.values())
    places = _apart([values[-1] for values in lines.values()], least=0.09 * most)
    for number, ((name, values), at, colour) in enumerate(zip(lines.items(), places, cycle(COLOURS), strict=False)):
        width = 2.5 + 2 * (len(lines) - 1 - number)  # lines that run together still show
        axes.step(x, values, where="post", color=colour, linewidth=width)
        axes.annotate(f" {name}", (x[-1], at), color=colour, weight="bold", va="center", annotation_clip=False)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.margins(x=0.02)
    return image_of(axes)


def partitions(messages: Mapping[int, Sequence[str]], marks: Mapping[int, int] | None = None) -> None:
    """A topic's log: a row for each partition, a box for each message, coloured by what it says.

    `marks` are places in the log, such as the next offset that a reader will read, by partition.
    """
    said = list(dict.fromkeys(label for labels in messages.values() for label in labels))
    axes = _axes(height=0.6 + 0.62 * len(messages))
    longest = max((len(labels) for labels in messages.values()), default=0)
    for row, (number, labels) in enumerate(sorted(messages.items())):
        axes.text(-0.8, -row, f"partition {number}", ha="right", va="center")
        for offset, label in enumerate(labels):
            colour = COLOURS[said.index(label) % len(COLOURS)]
            box = {"boxstyle": "round,pad=0.3", "facecolor": colour, "edgecolor": "none"}
            axes.text(offset, -row, label, color="white", family="monospace", ha="center", va="center", bbox=box)
        if marks is not None and number in marks:
            axes.annotate("▲", (marks[number] - 0.5, -row - 0.45), ha="center", va="center", color=INK)
    axes.set(xlim=(-0.6, longest), ylim=(-len(messages) + 0.4, 0.5))
    axes.axis("off")
    _show(axes)


def _apart(values: Sequence[float], least: float) -> list[float]:
    """The values, each moved up as far as needed to stand `least` above the one below it; ties in reverse order."""
    places, below = [0.0] * len(values), float("-inf")
    for number in sorted(range(len(values)), key=lambda number: (values[number], -number)):
        below = places[number] = max(values[number], below + least)
    return places


def _show(axes: Axes) -> None:
    display(image_of(axes))  # type: ignore[no-untyped-call]


def image_of(axes: Axes) -> Image:
    figure, png = axes.get_figure(root=True), BytesIO()
    if figure is None:
        raise ValueError("these axes belong to no figure")
    figure.savefig(png, format="png", dpi=160)
    return Image(png.getvalue(), retina=True)  # type: ignore[no-untyped-call]


def _axes(height: float) -> Axes:
    # A figure of its own, unknown to pyplot: notebooks show every figure that pyplot has open at the end of a cell.
    return Figure(figsize=(9, height), layout="constrained").subplots()
