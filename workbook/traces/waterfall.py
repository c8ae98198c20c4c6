"""A trace as a picture: a row for each span under the one that caused it, in the colour of its service."""

from collections.abc import Iterator, Sequence

from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from workbook.pictures import COLOURS, INK, image_of
from workbook.traces.span import Span

_RED = "#ef4444"
_MOST = 60  # rows
_LONGEST = 38  # letters of a name, with the steps before it


def waterfall(spans: Sequence[Span], upto: float | None = None) -> None:
    """Shows the spans of one trace; ✗ stands at errors. `upto`, in milliseconds, looks closer at the beginning."""
    display(waterfall_image(spans, upto))  # type: ignore[no-untyped-call]


def waterfall_image(spans: Sequence[Span], upto: float | None = None) -> Image:
    """What `waterfall` shows; raises ValueError when there is nothing to show."""
    if not spans:
        raise ValueError("no spans: they come within a second or so after the request; is its trace kept at all?")
    rows = [*_tree(spans)][:_MOST]
    services = list(dict.fromkeys(span.service for span, _ in rows))
    colours = {service: COLOURS[number % len(COLOURS)] for number, service in enumerate(services)}
    figure = Figure(figsize=(9, 0.8 + 0.29 * len(rows)), layout="constrained")
    names, bars = figure.subplots(1, 2, sharey=True, width_ratios=[4, 7])
    zero = min(span.start for span, _ in rows)
    for number, (span, depth) in enumerate(rows):
        _name(names, number, span, depth, colours[span.service])
        start = (span.start - zero) / 1e6
        if upto is None or start < upto:
            _bar(bars, number, span, start, colours[span.service])
        else:
            bars.text(upto, number, f"from {start:,.0f} on", color=INK, fontsize=10, va="center", ha="right")
    names.axis("off")
    names.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6))
    bars.tick_params(axis="y", left=False, labelleft=False)
    bars.spines["left"].set_visible(False)
    bars.set(xlabel=_unit(len(spans) - len(rows)))
    bars.margins(x=0.12)
    if upto is not None:
        bars.set_xlim(right=upto)
    handles = [Patch(color=colour, label=service) for service, colour in colours.items()]
    figure.legend(handles=handles, loc="outside upper left", ncols=4, fontsize=11, handlelength=1, columnspacing=1.2)
    return image_of(bars)


def _unit(left_out: int) -> str:
    return "milliseconds" + (f"; {left_out} more spans are not shown" if left_out else "")


def _name(axes: Axes, row: int, span: Span, depth: int, colour: str) -> None:
    text = "  " * depth + span.name.rpartition(".")[2]  # a method without its package
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    axes.text(0, row, text, color=colour, family="monospace", fontsize=10, va="center")


def _bar(axes: Axes, row: int, span: Span, start: float, colour: str) -> None:
    axes.barh(row, span.milliseconds, left=start, height=0.6, color=colour)
    axes.plot(start, row, "|", color=colour, markersize=9)  # one that took no time to speak of is seen, too
    mark, ink = ("  ✗", _RED) if span.error else ("", INK)
    axes.annotate(
        f" {span.milliseconds:.3g}{mark}", (start + span.milliseconds, row), color=ink, fontsize=10, va="center"
    )


def _tree(spans: Sequence[Span]) -> Iterator[tuple[Span, int]]:
    """Each span once, with its depth: causes before what they caused, siblings by their beginnings."""
    known = {span.span_id for span in spans}
    below: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.start, reverse=True):
        below.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    waiting = [(span, 0) for span in below.get("", [])]
    while waiting:
        span, depth = waiting.pop()
        yield span, depth
        waiting += [(child, depth + 1) for child in below.get(span.span_id, [])]
