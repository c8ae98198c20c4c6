"""Requests by method and by how they ended, whatever a server calls its labels and writes their values.

The roadmap names the metrics and no label. A value that ends with a method's name is the method, and one that is the
name or number of a gRPC status, in any spelling, is the code.
"""

import re
from collections import Counter
from collections.abc import Sequence

import grpc
from checklist.contract import METHODS as OF_BOOKINGS
from checklist.event_contract import METHODS as OF_EVENTS
from checklist.page import Figures, Series
from checklist.shown import REQUESTS, SECONDS, named

from workbook.checks.verdict import not_run

CODES = tuple(code.name for code in grpc.StatusCode)
LABELS = {"side", "method", "code"}
CONTRACT = "an addition to the roadmap, see phase4-observability/README.md"
METHODS = {"booking-metrics": OF_BOOKINGS, "event-metrics": OF_EVENTS}
"""The methods that the checks call, by the page that counts them."""

Outcomes = Counter[tuple[str, str]]

_PLAIN = {re.sub("_", "", code.name): code.name for code in grpc.StatusCode}
_NUMBERS = {str(code.value[0]): code.name for code in grpc.StatusCode}


def in_contract(figures: Figures) -> bool:
    """Whether requests carry this workbook's labels: then they are held to them."""
    return any(dict(labels).keys() >= LABELS for _, labels in named(figures, REQUESTS))


def needs_contract(figures: Figures, what: str) -> None:
    if not in_contract(figures):
        not_run(f"needs the labels side, method and code of {REQUESTS}, and {what}: {CONTRACT}")


def requests(figures: Figures, methods: Sequence[str]) -> Outcomes:
    """How many requests each method answered with each code; "" where no label tells the method, or the code."""
    return _by_outcome(figures, REQUESTS, methods)


def timed(figures: Figures, methods: Sequence[str]) -> Outcomes:
    """How many requests were timed, likewise."""
    return _by_outcome(figures, f"{SECONDS}_count", methods)


def _by_outcome(figures: Figures, name: str, methods: Sequence[str]) -> Outcomes:
    counted, found = named(figures, name), Counter[tuple[str, str]]()
    tells_methods = any(_method(figure, methods) for figure in counted)
    for figure, value in counted.items():
        method = _method(figure, methods)
        if method or not tells_methods:  # else it is of another service, or of nobody's interest
            found[method, _code(figure)] += int(value)
    return found


def of_method(outcomes: Outcomes, method: str) -> int:
    return sum(count for (name, _), count in outcomes.items() if name == method)


def tells_codes(outcomes: Outcomes) -> bool:
    """Whether each of them says how it ended in gRPC's words: `ok` and `error` are none."""
    return bool(outcomes) and all(code for _, code in outcomes)


def grown(before: Outcomes, after: Outcomes) -> Outcomes:
    return Counter({each: after[each] - before[each] for each in after if after[each] != before[each]})


def told(outcomes: Outcomes, method: str) -> str:
    """What was counted of a method, for people."""
    counted = [f"{count} as {code or 'anything'}" for (name, code), count in outcomes.items() if name == method]
    return ", ".join(counted) or "nothing"


def _method(figure: Series, methods: Sequence[str]) -> str:
    tails = (re.split("[/.]", value)[-1] for _, value in figure[1])
    return next((tail for tail in tails if tail in methods), "")


def _code(figure: Series) -> str:
    for label, value in figure[1]:
        plain = re.sub("[_ ]", "", value.upper())
        if plain in _PLAIN:
            return _PLAIN[plain]
        if ("code" in label or "status" in label) and value in _NUMBERS:
            return _NUMBERS[value]
    return ""
