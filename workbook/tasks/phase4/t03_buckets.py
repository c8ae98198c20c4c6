"""Task 4.3: buckets for three services, judged by what can be read from them and by what they cost."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from workbook.lesson.task import Task, Wrong
from workbook.props import evenly
from workbook.props.histogram import kept
from workbook.props.latencies import LATENCIES, OBJECTIVE, quantile
from workbook.tasks.phase4.wrong_buckets import WRONG

MOST = 12
NEARLY = 0.25  # of the truth
QUANTILES = (0.5, 0.99)
TOO_LONG = 60  # seconds; a bound beyond it was not meant in seconds


def check(bounds: Sequence[float]) -> str:
    """Everything that is wrong is told at once: a bound that mends one figure may spoil another."""
    ends = _ends(bounds)
    problems = [*_objective(ends), *_quantiles(ends), *_too_many(ends)]
    if problems:
        raise Wrong("\n".join(problems))
    worst = max(abs(_read(q, ends, name) / quantile(q, seconds) - 1) for q, name, seconds in _figures())
    return (
        f"{len(ends)} bounds: the share within {OBJECTIVE:g} s is exact for all three, and p50 and p99 are at most "
        f"{worst:.0%} off"
    )


def _ends(bounds: Any) -> list[float]:
    """The bounds as numbers, without a +Inf at the end, which every histogram has."""
    if isinstance(bounds, str) or not isinstance(bounds, Sequence):
        raise Wrong(f"BUCKETS is {bounds!r}: a tuple of upper bounds in seconds is wanted")
    if odd := [end for end in bounds if isinstance(end, bool) or not isinstance(end, int | float)]:
        raise Wrong(f"{odd[0]!r} is no number: upper bounds in seconds are wanted")
    ends = [float(end) for end in bounds]
    if ends and math.isinf(ends[-1]):
        ends.pop()
    if not ends:
        raise Wrong("without a bound all requests lie in +Inf, and nothing can be read")
    for lower, upper in pairwise(ends):
        if lower >= upper:
            raise Wrong(f"{upper:g} stands after {lower:g}: each bound must be above the one before it")
    if not ends[0] > 0:
        raise Wrong(f"{ends[0]:g} is a bound, and no request takes so little")
    if ends[-1] > TOO_LONG:
        raise Wrong(
            f"{ends[-1]:g} is a bound, and the longest request took {max(map(max, LATENCIES.values())):.1f} s. Are "
            "these milliseconds? Prometheus counts in seconds"
        )
    return ends


def _objective(ends: list[float]) -> Iterator[str]:
    if OBJECTIVE in ends:
        return
    for name, seconds in LATENCIES.items():
        told = dict(kept(seconds, (*ends, OBJECTIVE)))
        below, above = max((end for end in ends if end < OBJECTIVE), default=0), _above(ends, OBJECTIVE)
        low, high, right = (told.get(end, 0) / len(seconds) for end in (below, above, OBJECTIVE))
        if low != high:
            yield (
                f"{name}: which share took at most {OBJECTIVE:g} s? {right:.1%} did, and the buckets say {low:.1%} up "
                f"to {_shown(below)} and {high:.1%} up to {_shown(above)}: a guess. Let a bucket end at {OBJECTIVE:g}"
            )


def _quantiles(ends: list[float]) -> Iterator[str]:
    for q, name, seconds in _figures():
        right, got = quantile(q, seconds), _read(q, ends, name)
        if abs(got / right - 1) > NEARLY:
            where = f"lies between {_shown(_below(ends, right))} and {_shown(_above(ends, right))}"
            if right > ends[-1]:
                where = f"lies above the last bound, {_shown(ends[-1])}"
            off = f"{got / right - 1:+.0%}"
            yield f"{name}: p{100 * q:g} is {_shown(right)}, and {_shown(got)} is read ({off}): it {where}"


def _too_many(ends: list[float]) -> Iterator[str]:
    if len(ends) > MOST:
        yield f"{len(ends)} bounds, {MOST} at most: each is one more series, for every method of every replica"


def _figures() -> Iterator[tuple[float, str, list[float]]]:
    return ((q, name, seconds) for name, seconds in LATENCIES.items() for q in QUANTILES)


def _read(q: float, ends: list[float], name: str) -> float:
    return evenly.quantile(q, kept(LATENCIES[name], ends)) or math.nan


def _below(ends: list[float], seconds: float) -> float:
    return max((end for end in ends if end < seconds), default=0.0)


def _above(ends: list[float], seconds: float) -> float:
    return min((end for end in ends if end >= seconds), default=math.inf)


def _shown(seconds: float) -> str:
    if math.isinf(seconds):
        return "+Inf"
    return f"{1000 * seconds:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


TASK = Task(
    id="4.3",
    title="Buckets that tell the truth",
    names=("BUCKETS",),
    hints=(
        (
            "Print p50 and p99 of each shape. A figure is read well when its bucket is narrow: where must the bounds "
            "stand close together, and where is nothing to be read?"
        ),
        (
            f"One bound is {OBJECTIVE:g} exactly. Then one a little below and one a little above each p50 and p99: "
            "about 3, 6, 14, 60, 280 and 970 ms. Neighbours may share a bound."
        ),
        (
            "Around 3 and 6 ms: 0.002, 0.004, 0.007. Around 14 and 60 ms: 0.012, 0.016, 0.05, 0.08. The promise, and a "
            "bound close above for 280 ms: 0.25, 0.3. Around 970 ms: two more."
        ),
    ),
    check=check,
    wrong=WRONG,
)
