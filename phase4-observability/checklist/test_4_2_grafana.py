"""4.2 Prometheus, alert rules and dashboards work."""

from http.client import HTTPException

import pytest
from checklist.grafana import Grafana, Panel
from checklist.prometheus import may_be_empty, metrics_in

from workbook.checks.parts import silence_of
from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run


@pytest.fixture
def source(grafana: Grafana) -> str:
    """The uid of the first data source for Prometheus."""
    found = grafana.sources()
    if not found:
        not_run("needs a data source, see above")
    return next(iter(found.values()))


@pytest.fixture
def panels(grafana: Grafana) -> list[Panel]:
    found = grafana.panels()
    if not found:
        not_run("needs a dashboard, see above")
    return found


def test_answers(system: System) -> None:
    """Grafana answers."""
    silence = silence_of("grafana", system.address("grafana"), system.patience)
    expect(not silence, silence, "start Grafana there")


@pytest.mark.usefixtures("visit")
def test_source(grafana: Grafana) -> None:
    """It has Prometheus as a data source, and reaches it."""
    found = grafana.sources()
    expect(found, "Grafana has no data source for Prometheus", "provision one: provisioning/datasources")
    for name, uid in found.items():
        problem = _problem(grafana, uid, "up")
        said = f"Grafana's data source {name} {problem}"
        expect(not problem, said, "give it Prometheus' address as Grafana sees it, in its own network")


def test_bookings(grafana: Grafana) -> None:
    """There is a dashboard about bookings."""
    asked = [expression for panel in grafana.panels() for expression in panel.expressions]
    said = f"none of {len(asked)} expressions of Grafana's panels asks for bookings"
    expect(any("booking" in expression.lower() for expression in asked), said, "show bookings_total, or by status")


@pytest.mark.usefixtures("visit")
def test_panels(grafana: Grafana, panels: list[Panel], source: str) -> None:
    """Every expression of every panel is answered, and with something."""
    by_name = grafana.sources()
    for panel in panels:
        for expression in panel.expressions:
            problem = _emptiness(grafana, by_name.get(panel.source, panel.source) or source, expression)
            said = f"“{panel.title}” of “{panel.dashboard}” asks for {expression[:160]}: {problem}"
            expect(not problem, said, "try it in Explore: is the metric's name right, and the data source there?")


def _emptiness(grafana: Grafana, source: str, expression: str) -> str:
    """As `_problem`, but for what shows nothing when all is well: there its metrics must be there."""
    problem = _problem(grafana, source, expression)
    if not problem or not may_be_empty(expression):
        return problem
    unknown = [name for name in sorted(metrics_in(expression) - {"ALERTS"}) if _problem(grafana, source, name)]
    return f"{unknown[0]} {_problem(grafana, source, unknown[0])}" if unknown else ""


def _problem(grafana: Grafana, source: str, expression: str) -> str:
    """Why an expression comes to nothing, in words; "" when it is answered."""
    try:
        found = grafana.query(source, expression)
    except (OSError, HTTPException, ValueError, KeyError) as error:
        return f"does not answer ({error})"
    return "" if found else "answers with nothing"
