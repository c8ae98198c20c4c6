"""Incidents that were recorded: real ones, with their figures, a trace and the ends of the logs.

`python -m workbook.props.recorded` starts a stack, goes through all causes and writes them anew; it takes four minutes.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from functools import cache
from math import isnan, nan
from pathlib import Path
from typing import Any

from workbook.props.evidence import BOOKING, CONSUMER, EVENT, Evidence, Figures
from workbook.props.faults import Cause
from workbook.props.incident import begin
from workbook.stack import LocalStack
from workbook.traces.span import Span

FILE = Path(__file__).with_name("recorded.json")
_PER_SECOND = (6, 10, 16)  # customers: a recording of each cause with each
_LINES = 5


@cache
def recorded() -> list[tuple[Cause, Evidence]]:
    """Each cause several times."""
    return [(Cause[kept["cause"]], _evidence(kept)) for kept in json.loads(FILE.read_text())]


def record() -> None:
    with LocalStack(4) as stack:
        kept = list(_recording(stack))
    FILE.write_text("[\n" + ",\n".join(json.dumps(each, allow_nan=False) for each in kept) + "\n]\n")


def _recording(stack: LocalStack) -> Iterator[dict[str, Any]]:
    for per_second in _PER_SECOND:
        for cause in Cause:
            incident = begin(stack, cause, per_second=per_second)
            print(cause.name, per_second, flush=True)
            yield {"cause": cause.name, **_plain(incident.evidence)}
            incident.end()


def _plain(evidence: Evidence) -> dict[str, Any]:
    return {
        "before": _told(evidence.before),
        "now": _told(evidence.now),
        "trace": [asdict(replace(span, attributes={})) for span in evidence.trace],
        "logs": {name: "\n".join(evidence.logs[name].splitlines()[-_LINES:]) for name in (BOOKING, EVENT, CONSUMER)},
    }


def _told(figures: Figures) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {name: None if isnan(value) else round(value, 4) for name, value in asdict(figures).items()}


def _evidence(kept: dict[str, Any]) -> Evidence:
    before, now = (Figures(**{each.name: _read(kept[when][each.name]) for each in fields(Figures)}) for when in _WHEN)
    return Evidence(before, now, [Span(**span) for span in kept["trace"]], kept["logs"])


_WHEN = ("before", "now")


def _read(value: float | None) -> float:
    return nan if value is None else value


if __name__ == "__main__":
    record()
