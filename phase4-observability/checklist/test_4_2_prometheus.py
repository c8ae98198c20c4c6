"""4.2 Prometheus, alert rules and dashboards work."""

from collections.abc import Mapping

import pytest
from checklist.prometheus import Prometheus
from checklist.sales import comes_true
from checklist.shown import PAGES, REQUESTS, TOTAL, Shown, counted_by_calls

from workbook.checks.parts import silence_of
from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run


def test_answers(system: System) -> None:
    """Prometheus answers."""
    silence = silence_of("prometheus", system.address("prometheus"), system.patience)
    expect(not silence, silence, "start Prometheus there")


@pytest.mark.usefixtures("visit")
@pytest.mark.parametrize("name", PAGES)
def test_scrapes(prometheus: Prometheus, pages: Mapping[str, Shown], name: str) -> None:
    """It knows the figures of the service."""
    if name not in pages:
        not_run(f"needs the page {name}: --target {name}=HOST:PORT,…")
    if not counted_by_calls(pages[name].figures()):
        not_run(f"needs {REQUESTS} or {TOTAL} on {name}, see 4.1")

    def known() -> bool:
        shown = counted_by_calls(pages[name].figures())
        return any(shown.items() <= target.items() for target in prometheus.figures_by_target(REQUESTS, TOTAL))

    said = f"no target of Prometheus has what {name} shows"
    expect(comes_true(known, prometheus.patience), said, "add the service's page to scrape_configs")


def test_targets_up(prometheus: Prometheus) -> None:
    """Everything that it asks answers."""
    comes_true(lambda: not _down(prometheus), prometheus.patience)
    down = _down(prometheus)
    said = f"Prometheus cannot read {down[0].get('scrapeUrl')}: {down[0].get('lastError')}" if down else ""
    expect(not down, said, "correct the address in scrape_configs, or start what is there")


def _down(prometheus: Prometheus) -> list[Mapping[str, object]]:
    return [target for target in prometheus.targets() if target["health"] != "up"]
