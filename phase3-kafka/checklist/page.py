"""What the consumer shows to Prometheus, by whatever names: figures, and what they grew by."""

import time
from collections.abc import Mapping
from http.client import HTTPException

from prometheus_client.parser import text_string_to_metric_families

from workbook.checks.parts import page
from workbook.checks.verdict import Wrong, not_run

Series = tuple[str, tuple[tuple[str, str], ...]]
Figures = Mapping[Series, float]

SHOW = "answer GET /metrics in Prometheus' text format: every language has a client library for it"
MANY = 4  # looks
READ = 10  # seconds: as long as Prometheus waits for a page where nothing else is set
SETTLE = 0.4  # seconds without a change, for what is still on its way

_RUNTIME = ("process_", "python_", "go_", "jvm_", "nodejs_", "dotnet_", "promhttp_")  # they change by themselves


def series(name: str, **labels: str) -> Series:
    return name, tuple(sorted(labels.items()))


def told(figure: Series) -> str:
    name, labels = figure
    inside = ", ".join(f'{label}="{value}"' for label, value in labels)
    return f"{name}{{{inside}}}" if inside else name


class Page:
    def __init__(self, address: str, patience: float) -> None:
        self._address = address
        self._patience = patience
        self._in_vain = False  # it was waited for before, and never came: the next wait is shorter
        self._restless: set[Series] = set()  # they moved between any two looks of a whole wait: each look moves them

    def figures(self) -> Figures:
        """What it shows now; Wrong if that cannot be read."""
        try:
            families = list(text_string_to_metric_families(page(self._address, READ)))
        except (OSError, HTTPException) as error:
            raise Wrong(f"http://{self._address}/metrics cannot be read ({error})", SHOW) from error
        except ValueError as error:
            said = f"http://{self._address}/metrics is not in Prometheus' format ({str(error)[:120]})"
            raise Wrong(said, SHOW) from error
        samples = [sample for family in families for sample in family.samples]
        found = {series(sample.name, **sample.labels): sample.value for sample in samples}
        return {key: value for key, value in found.items() if not key[0].startswith(_RUNTIME)}

    def settled(self) -> Figures:
        """What it shows once that stays the same for a moment: what came before is counted."""
        deadline = time.monotonic() + 2 * self._patience
        last = self.figures()
        moves: list[set[Series]] = []
        while time.monotonic() < deadline:
            time.sleep(SETTLE)
            now = self.figures()
            moved = {key for key in {*now, *last} if now.get(key) != last.get(key)} - self._restless
            if not moved:
                return now
            moves.append(moved)
            last = now
        if len(moves) >= MANY:  # a busy machine has few looks in a wait, and what is counted meanwhile moves in each
            self._restless |= set.intersection(*moves)
        return last

    def needs(self, *figures: Series) -> None:
        """Ends the check without a verdict if a figure that this workbook adds is not shown."""
        shown = self.figures()
        for figure in figures:
            if figure not in shown:
                not_run(f"needs {told(figure)} on the consumer's page: an addition to the roadmap")

    def grown(self, before: Figures, wanted: Mapping[Series, float], seconds: float) -> Mapping[Series, float]:
        """What the wanted figures grew by, once that is as wanted and stays so, or when the time is over."""
        deadline = time.monotonic() + seconds / (5 if self._in_vain else 1)
        while True:
            growth = _growth(self.figures(), before, wanted)
            if growth == wanted:
                time.sleep(SETTLE)
                return _growth(self.figures(), before, wanted)
            if time.monotonic() > deadline or _too_much(growth, wanted):
                self._in_vain = True
                return growth
            time.sleep(0.1)

    def any_grown(self, before: Figures, wanted: float, seconds: float) -> Mapping[Series, float]:
        """What all figures grew by, once one grew by as much as is wanted, or when the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            now = self.figures()
            growth = {key: value - before.get(key, 0) for key, value in now.items() if value != before.get(key, 0)}
            if wanted in growth.values() or time.monotonic() > deadline:
                return growth
            time.sleep(0.1)


def _growth(now: Figures, before: Figures, wanted: Mapping[Series, float]) -> dict[Series, float]:
    return {key: now.get(key, 0) - before.get(key, 0) for key in wanted}


def _too_much(growth: Mapping[Series, float], wanted: Mapping[Series, float]) -> bool:
    """Whether a counter is past what is wanted: it will not come back."""
    return any(growth[figure] > by for figure, by in wanted.items() if figure[0].endswith("_total"))
