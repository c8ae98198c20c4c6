"""A histogram as a service keeps it, and what can be read from it afterwards."""

from collections.abc import Iterable, Sequence
from math import inf

from workbook.props.evenly import quantile

Buckets = list[tuple[float, int]]
"""(upper end in seconds, values up to there), cumulative; the last end is infinity."""


def kept(values: Iterable[float], ends: Sequence[float]) -> Buckets:
    """What is left of these values in a histogram: how many lie at or below each end."""
    values = list(values)
    return [(end, sum(value <= end for value in values)) for end in (*ends, inf)]


def read(q: float, buckets: Buckets) -> float:
    """The quantile that Prometheus' histogram_quantile reads: as if the values lay evenly in their bucket."""
    found = quantile(q, buckets)
    if found is None:
        raise ValueError("no value was counted")
    return found
