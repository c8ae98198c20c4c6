"""How long the requests of three services took, in seconds: the same numbers each time, spread as real ones are."""

from collections.abc import Sequence
from math import exp, log
from statistics import NormalDist

OBJECTIVE = 0.25
"""Seconds within which a request should be answered."""

_REQUESTS = 2000


def quantile(q: float, seconds: Sequence[float]) -> float:
    """The true one: so many of them took at most so long."""
    return sorted(seconds)[max(0, round(q * len(seconds)) - 1)]


def _hump(median: float, width: float, requests: int) -> list[float]:
    """Most near the median, few far above: a log-normal, cut into equal parts and one taken from the middle of each."""
    normal = NormalDist(log(median), width)
    return [exp(normal.inv_cdf((number + 0.5) / requests)) for number in range(requests)]


LATENCIES: dict[str, list[float]] = {
    "quick": _hump(0.003, 0.3, _REQUESTS),
    "two humps": _hump(0.012, 0.25, _REQUESTS * 7 // 10) + _hump(0.21, 0.15, _REQUESTS * 3 // 10),
    "a tail": _hump(0.06, 1.2, _REQUESTS),
}
"""Quick: all of it is in memory. Two humps: three in ten ask another service. A tail: now and then a lock or a disk."""
