"""4.1 The services' metrics are there."""

from collections.abc import Mapping
from difflib import get_close_matches

import pytest
from checklist.outcomes import needs_contract
from checklist.page import Figures, Series
from checklist.shown import BY_STATUS, NAMES, PAGES, REQUESTS, SECONDS, TOTAL, Shown, named, samples_of
from checklist.visit import Visit

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

EVERYWHERE = (REQUESTS, SECONDS)
KINDS = {TOTAL: {"counter"}, BY_STATUS: {"gauge", "counter"}, REQUESTS: {"counter"}, SECONDS: {"histogram", "summary"}}


@pytest.mark.parametrize("name", PAGES)
def test_page(system: System, name: str) -> None:
    """The service shows a page that Prometheus can read."""
    Shown(system.address(name), system.within).check()


@pytest.mark.parametrize("name", NAMES)
def test_name(counted: Visit, name: str) -> None:
    """The roadmap's metric is there, by its name."""
    if name not in EVERYWHERE:
        shown = [figure for figures in counted.after.values() for figure in figures]
        _expect_named(name, shown, "any page")
        return
    for page in ("booking-metrics", "event-metrics"):
        if page in counted.after:
            _expect_named(name, list(counted.after[page]), page)


@pytest.mark.parametrize("name", NAMES)
def test_kind(counted: Visit, pages: Mapping[str, Shown], name: str) -> None:
    """What rises is a counter, and what takes time a histogram."""
    showing = [page for page, figures in counted.after.items() if named(figures, *samples_of(name))]
    if not showing:
        not_run(f"needs {name}, see above")
    for page in showing:
        kinds = pages[page].kinds()
        kind = kinds.get(name) or kinds.get(name.removesuffix("_total"), "untyped")
        wanted = KINDS[name]
        todo = "declare it as one: rates and alerts read counters, and a fall is taken for a restart"
        expect(kind in wanted, f"{name} on {page} is a {kind}, not a {' or '.join(sorted(wanted))}", todo)


def test_no_twins(counted: Visit, figures: Figures) -> None:
    """No series tells when another one was made: each would cost as much as the one it is about."""
    names = {name for shown in counted.after.values() for name, _ in shown}
    twins = sorted(name for name in names if name.endswith("_created"))
    if twins:
        needs_contract(figures, f"no {twins[0]}")
    said = f"there are {', '.join(twins[:3])} besides"
    expect(not twins, said, "turn them off: disable_created_metrics() in Python's client")


def _expect_named(name: str, shown: list[Series], where: str) -> None:
    names = {figure for figure, _ in shown}
    close = get_close_matches(name, names, 1)
    said = f"there is no {name} on {where}" + (f", there is {close[0]}" if close else "")
    expect(names & set(samples_of(name)), said, "register it by exactly this name; a library may add _total by itself")
