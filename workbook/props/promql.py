"""Questions to the Prometheus of a stack. Where none runs, they say so instead of answering."""

import json
import time
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbook import pictures
from workbook.needs import missing
from workbook.prometheus_api import asked
from workbook.stack import LocalStack

_LABELS_NOBODY_ASKS_FOR = {"__name__", "instance"}


class QueryRefused(Exception):
    """Prometheus does not understand a query; the text is what it says."""


@dataclass(frozen=True, slots=True)
class PromQL:
    """Prometheus' query language, asked of the stack's own Prometheus."""

    stack: LocalStack

    @property
    def there(self) -> bool:
        return "prometheus" in self.stack.parts

    def ask(self, query: str) -> dict[str, float]:
        """What a query gives now: values by their labels. Raises QueryRefused, and OSError without a Prometheus."""
        return {_named(each["metric"]): float(each["value"][1]) for each in self._get("query", query=query)}

    def asked_until(self, query: str, seconds: float = 10) -> dict[str, float]:
        """The same, asked again until there is an answer: the first scrapes may not be in yet."""
        deadline = time.monotonic() + seconds
        while not (found := self.ask(query)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def show(self, query: str) -> None:
        """Prints a query's answer."""
        if not self.there:
            _not_run()
            return
        found = self.asked_until(query)
        for name, value in found.items():
            print(f"{value:10,.4g}  {name}")
        if not found:
            print("nothing")

    def draw(self, seconds: float, ylabel: str, **queries: str) -> None:
        """Draws queries over the last `seconds`, one line each by its name; 0 where one has no value."""
        if not self.there:
            _not_run()
            return
        now = time.time()
        step, begin = max(seconds / 120, 0.25), now - seconds
        found = {name.replace("_", " "): self._line(query, begin, now, step) for name, query in queries.items()}
        steps = range(int(seconds / step) + 1)
        lines = {name: [line.get(number, 0) for number in steps] for name, line in found.items()}
        pictures.ledger(lines, [number * step for number in steps], ylabel=ylabel)

    def _line(self, query: str, begin: float, end: float, step: float) -> dict[int, float]:
        found = self._get("query_range", query=query, start=begin, end=end, step=step)
        points = [(at, float(value)) for each in found for at, value in each["values"] if value != "NaN"]
        return {round((at - begin) / step): value for at, value in points}

    def _get(self, what: str, **arguments: object) -> Any:
        try:
            return asked(self.stack["prometheus"].address, what, **arguments)["result"]
        except urllib.error.HTTPError as refusal:
            raise QueryRefused(json.load(refusal).get("error", str(refusal))) from refusal


def _not_run() -> None:
    print(f"○ not run ({missing('prometheus') or 'this stack has no Prometheus'})")


def _named(labels: Mapping[str, str]) -> str:
    shown = {name: value for name, value in labels.items() if name not in _LABELS_NOBODY_ASKS_FOR}
    inside = ", ".join(f'{name}="{value}"' for name, value in shown.items())
    return f"{labels.get('__name__', '')}{{{inside}}}" if inside else labels.get("__name__", "value")
