"""Task 4.2: a quantile read from buckets, compared with one found by halving, which interpolates nothing."""

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from workbook.lesson.task import Task, Wrong
from workbook.props.evenly import Buckets
from workbook.props.evenly import quantile as right_one
from workbook.tasks.phase4.wrong_quantile import WRONG

Quantile = Callable[[float, list[tuple[float, float]]], float | None]

RANDOM_ONES = 500
INF = math.inf
NEARLY = 1e-6  # of the right answer
DAILY = [(0.1, 20), (0.25, 80), (0.5, 96), (INF, 100)]
BY_HAND: tuple[tuple[float, Buckets], ...] = (
    (0.5, DAILY),
    (0.95, DAILY),
    (0.1, DAILY),
    (0.99, DAILY),
    (0.5, [(0.1, 10), (0.25, 10), (0.5, 10), (1, 20), (INF, 20)]),
    (0.75, [(0.1, 10), (0.25, 10), (0.5, 10), (1, 20), (INF, 20)]),
    (1, [(0.1, 10), (0.25, 20), (INF, 20)]),
    (0.5, [(0.1, 0), (0.25, 0), (0.5, 7), (INF, 7)]),
    (0.5, [(0.1, 0), (0.25, 0), (INF, 7)]),
    (0.5, [(0.1, 0), (0.25, 0), (INF, 0)]),
    (0.5, [(INF, 7)]),
)


def check(quantile: Quantile) -> str:
    """Histograms that can be read by hand, each kind of trap one; then many by chance."""
    tried = 0
    for q, buckets in (*BY_HAND, *_by_chance()):
        _judged(q, buckets, _read(quantile, q, buckets))
        tried += 1
    return f"{tried} histograms, each read as histogram_quantile reads it"


def _by_chance() -> Iterator[tuple[float, Buckets]]:
    """All counts are whole and all shares of 1/64: no rounding decides which bucket it is."""
    random = Random(4)  # noqa: S311 - the same histograms each time
    for _ in range(RANDOM_ONES):
        ends = sorted(random.sample(range(1, 400), random.randint(1, 9)))
        seen, buckets = 0, []
        for end in (*ends, None):
            seen += random.choice((0, 0, 1, 8, 64, random.randint(1, 500)))
            buckets.append((INF if end is None else end / 64, seen))
        yield random.randint(1, 64) / 64, buckets


def _read(quantile: Quantile, q: float, buckets: Buckets) -> Any:
    try:
        return quantile(q, [*buckets])
    except ArithmeticError as error:
        raise Wrong(f"{_asked(q, buckets)}: quantile raises {type(error).__name__}: {error}") from error


def _judged(q: float, buckets: Buckets, got: Any) -> None:
    right = right_one(q, buckets)
    if got is None and right is None:
        return
    what = _asked(q, buckets)
    if right is None:
        raise Wrong(f"{what}: quantile gives {got!r}. Nothing can be read here, so None is right")
    if isinstance(got, bool) or not isinstance(got, int | float):
        raise Wrong(f"{what}: quantile gives {got!r}, {_number(right)} s is right")
    if not math.isclose(got, right, rel_tol=NEARLY):
        raise Wrong(f"{what}: quantile gives {_number(got)}, {_number(right)} is right. {_why(q, buckets, got)}")


def _why(q: float, buckets: Buckets, got: float) -> str:
    """The way to the right answer, and what stands in its way when that can be seen from the wrong one."""
    rank, last = q * buckets[-1][1], buckets[-2]
    if last[1] < rank:
        return (
            f"Request number {rank:g} lies in +Inf, and nobody knows how long it took: more than {last[0]:g} s. "
            f"Prometheus gives that last bound, and so a p99 cannot be more than it"
        )
    at = next(number for number, (_, count) in enumerate(buckets) if count >= rank)
    begin, before = buckets[at - 1] if at else (0.0, 0.0)
    end, count = buckets[at]
    way = (
        f"Request number {rank:g} of {buckets[-1][1]:g}: {before:g} took at most {begin:g} s, {count:g} at most "
        f"{end:g} s. So it is number {rank - before:g} of the {count - before:g} in between"
    )
    if math.isclose(got, end):
        return f"{way}, and not all of these took as long as the longest: they are taken to lie evenly"
    return f"{way}, which are taken to lie evenly from {begin:g} s to {end:g} s"


def _asked(q: float, buckets: Buckets) -> str:
    shown = "  ".join(f"≤{'+Inf' if end == INF else _number(end)}: {count:g}" for end, count in buckets)
    return f"q = {q:g}, buckets {shown}"


def _number(seconds: float) -> str:
    return f"{seconds:.5g}"


TASK = Task(
    id="4.2",
    title="A quantile, read from buckets",
    names=("quantile",),
    hints=(
        (
            "Which request is it? Number q times all, counted from the quickest. Go through the buckets until a count "
            "reaches that number."
        ),
        (
            "Its bucket begins where the one before ends, the first at 0. As many as that one's count were quicker. Of "
            "those in between, which number is it, and how far between the two ends does that lie?"
        ),
        (
            "begin + (end - begin) * (rank - before) / (count - before), with begin and before from the bucket before, "
            "0 and 0 at first. In +Inf it is `begin`. With no requests, or no bucket but +Inf, None."
        ),
    ),
    check=check,
    wrong=WRONG,
)
