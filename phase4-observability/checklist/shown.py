"""The services' pages: what Prometheus would make of them, and what falls on them that may only rise."""

import re
import time
import urllib.request
from collections.abc import Iterable, Mapping
from http.client import HTTPException

from checklist.page import READ, SETTLE, SHOW, Figures, Page, Series, told
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from workbook.checks.parts import METRICS, opened
from workbook.checks.verdict import Wrong, expect

TOTAL, BY_STATUS = "bookings_total", "bookings_by_status"
REQUESTS, SECONDS = "grpc_requests_total", "grpc_request_duration_seconds"
NAMES = (TOTAL, BY_STATUS, REQUESTS, SECONDS)
RISING = (TOTAL, REQUESTS, f"{SECONDS}_bucket", f"{SECONDS}_count")
PAGES = ("booking-metrics", "event-metrics", "metrics-consumer")

_TEXT = "text/plain; version=0.0.4"
_KIND = re.compile(r"^# TYPE (\S+) (\S+)", re.MULTILINE)


class Shown(Page):
    """A page that remembers what it showed: `fell` says of each counter that went down how it did."""

    def __init__(self, address: str, patience: float) -> None:
        super().__init__(address, patience)
        self.fell: list[str] = []
        self._last: Figures = {}

    def figures(self) -> Figures:
        now = super().figures()
        for figure, value in now.items():
            if figure[0] in RISING and value < self._last.get(figure, 0):
                self.fell.append(f"{told(figure)} went from {self._last[figure]:g} to {value:g}")
        self._last = now
        return now

    def settled(self) -> Figures:
        """What it shows once the roadmap's metrics stay the same for a moment; others may change all the time."""
        deadline = time.monotonic() + 2 * self._patience
        last = self.figures()
        while time.monotonic() < deadline:
            time.sleep(SETTLE)
            before, last = last, self.figures()
            if counted_by_calls(before) == counted_by_calls(last):
                break
        return last

    def begins_again(self) -> None:
        """Its process was killed: its counters may begin at 0."""
        self._last = {}

    def kinds(self) -> Mapping[str, str]:
        """Counter, gauge, histogram and so on by name, as the page says it."""
        return dict(_KIND.findall(self._asked()[0]))

    def check(self) -> None:
        """Wrong unless Prometheus can read it; what cannot be parsed at all is Wrong in `figures`."""
        self.figures()
        text, kind = self._asked()
        known = "text/plain" in kind or "application/openmetrics-text" in kind
        said = f"http://{self._address}{METRICS} has Content-Type {kind!r}: Prometheus refuses a page without its own"
        expect(known, said, f"answer with Content-Type: {_TEXT}")
        twice = _twice((sample.name, tuple(sorted(sample.labels.items()))) for sample in _samples(text))
        expect(not twice, f"{told(twice[0])} stands twice on one page" if twice else "", "register each metric once")

    def _asked(self) -> tuple[str, str]:
        """The page and its type."""
        asking = urllib.request.Request(f"http://{self._address}{METRICS}", headers={"Accept": _TEXT})
        try:
            with opened(asking, READ) as answer:
                return answer.read().decode(errors="replace"), answer.headers.get("Content-Type", "")
        except (OSError, HTTPException) as error:
            raise Wrong(f"http://{self._address}{METRICS} cannot be read ({error})", SHOW) from error


def named(figures: Figures, *names: str) -> Figures:
    return {figure: value for figure, value in figures.items() if figure[0] in names}


def counted_by_calls(figures: Figures) -> Figures:
    """What only grows when somebody calls; health checks come by themselves."""
    counted = named(figures, TOTAL, REQUESTS)
    return {figure: value for figure, value in counted.items() if not any("grpc." in word for _, word in figure[1])}


def samples_of(name: str) -> tuple[str, ...]:
    """The names under which a metric's figures stand."""
    return (name, f"{name}_count", f"{name}_sum", f"{name}_bucket") if name == SECONDS else (name,)


def growth(before: Figures, after: Figures) -> dict[Series, float]:
    return {figure: value - before.get(figure, 0) for figure, value in after.items()}


def _samples(text: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def _twice(all_of: Iterable[Series]) -> list[Series]:
    seen: set[Series] = set()
    return [each for each in all_of if each in seen or seen.add(each)]  # type: ignore[func-returns-value]
