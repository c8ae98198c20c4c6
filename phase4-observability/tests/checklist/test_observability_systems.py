"""Checklist 4, proved: the right system passes, each wrong one fails in one box, and the board names its mistake."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.checklist.kinds import failed_kinds, kind_of
from tests.checklist.observability_mistakes import WRONG
from tests.checklist.observability_systems import SYSTEMS, running

from workbook.checklist import run
from workbook.checks.report import Outcome, Report
from workbook.needs import missing, needs

Boards = Mapping[str, "Future[Report]"]
AT_ONCE = 10  # a checklist waits for its system most of the time


@pytest.fixture(scope="module")
def boards(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boards]:
    """The checklist's report on each system, as it becomes ready; those that wait the longest begin first."""
    cases = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    chosen = {case["name"] for case in cases if case.get("name") in WRONG} | {"right"}
    names = sorted(filter(_can_run, chosen), key=lambda name: (SYSTEMS[name].watched is None, name != "right"))
    folder = tmp_path_factory.mktemp("systems")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {name: pool.submit(_checked, name, folder) for name in names}
        yield started
        for report in started.values():  # after a failure that ends the session early
            report.cancel()


def _can_run(name: str) -> bool:
    return SYSTEMS[name].watched is None or not missing("prometheus")


def _checked(name: str, folder: Path) -> Report:
    with running(name, folder) as system:
        return run(4, system.target, system.restart, system.pause, within=5 if name == "right" else 2)


def test_right_system_passes(boards: Boards) -> None:
    needs("prometheus")
    report = boards["right"].result()
    assert not report.problem
    assert not [check for check in report.checks if check.outcome is not Outcome.PASSED], _told(report)
    assert [box.name for box in report.boxes] == [
        "4.1 The services' metrics are there",
        "4.2 Prometheus, alert rules and dashboards work",
        "4.3 One request is one trace",
    ]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_system_fails(boards: Boards, name: str) -> None:
    if SYSTEMS[name].watched is not None:
        needs("prometheus")
    report = boards[name].result()
    box, words = WRONG[name]
    assert not report.problem
    assert {check.box.split()[0] for check in report.checks if check.outcome is Outcome.FAILED} == {box}, _told(report)
    assert all(said in _told(report) for said in words), _told(report)
    assert all(check.todo for check in report.checks if check.outcome is Outcome.FAILED)
    assert report.status == 1


def test_every_check_can_fail(boards: Boards) -> None:
    needs("prometheus")
    failed = failed_kinds(report.result() for report in boards.values())
    assert set(map(kind_of, boards["right"].result().checks)) == failed


def test_every_system_is_proved() -> None:
    assert set(SYSTEMS) == {"right", *WRONG}
    assert len(WRONG) >= 25


def _told(report: Report) -> str:
    """Everything that was not passed, failures with their box; what was not given is not worth a line."""
    return "\n".join(
        f"{check.box[:3]} {check.title}: {check.outcome} ({check.said})"
        for check in report.checks
        if check.outcome is not Outcome.PASSED and not check.said.startswith("needs the address of")
    )
