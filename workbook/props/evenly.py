"""A quantile of a histogram, found as on paper: draw how many took at most x, and look where it gets there."""

from collections.abc import Sequence

Buckets = Sequence[tuple[float, float]]
"""Upper bounds in seconds, the last one infinite; each with how many requests took at most so long."""

STEPS = 100  # halvings: more than a float has digits


def quantile(q: float, buckets: Buckets) -> float | None:
    """As Prometheus' histogram_quantile gives it for 0 < q <= 1; None when nothing was counted."""
    *finite, (_, total) = buckets
    if not finite or not total:
        return None
    low, high = 0.0, finite[-1][0]
    if _at_most(high, finite) < q * total:
        return high  # where in +Inf it lies nobody knows
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _at_most(middle, finite) >= q * total else (middle, high)
    return high


def _at_most(seconds: float, finite: Buckets) -> float:
    """How many took at most so long, if those in a bucket lie evenly between its two ends."""
    begin, before = 0.0, 0.0
    for end, count in finite:
        if seconds <= end:
            return before + (count - before) * (seconds - begin) / (end - begin)
        begin, before = end, count
    return before
