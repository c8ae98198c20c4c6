"""What a Prometheus has seen of the last minutes, asked as a dashboard asks."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbook.prometheus_api import asked

Points = list[tuple[float, float]]
"""(seconds from now, so below 0, and value)."""

_MOST = 150  # points of a line


@dataclass(frozen=True, slots=True)
class LastMinutes:
    """The Prometheus at `address`. `variables` stand for $name in what is asked. Raises OSError when it is away."""

    address: str
    minutes: float
    variables: Mapping[str, str]

    def series(self, expression: str) -> list[tuple[dict[str, str], Points]]:
        """The labels and the points of each series, all at the same times; where one has no value it is NaN."""
        end, step = round(time.time()), max(1, round(self.minutes * 60 / _MOST))
        start = end - round(self.minutes * 60)
        found = self._asked("query_range", expression, start=start, end=end, step=step)["result"]
        known = [(one["metric"], {at: float(value) for at, value in one["values"]}) for one in found]
        times = range(start, end + 1, step)
        return [(labels, [(at - end, values.get(at, math.nan)) for at in times]) for labels, values in known]

    def now(self, expression: str) -> list[tuple[dict[str, str], float]]:
        found = self._asked("query", expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def exemplars(self, expression: str) -> list[tuple[dict[str, str], tuple[float, float]]]:
        """Labels and place of single requests, such as {"trace_id": …}."""
        end = time.time()
        found = self._asked("query_exemplars", expression, start=end - self.minutes * 60, end=end)
        dots = (one for series in found for one in series["exemplars"])
        return [(one["labels"], (float(one["timestamp"]) - end, float(one["value"]))) for one in dots]

    def _asked(self, path: str, expression: str, **arguments: float) -> Any:
        for name, value in {"__rate_interval": "1m", **self.variables}.items():
            expression = expression.replace(f"${name}", value)
        return asked(self.address, path, query=expression, **arguments)
