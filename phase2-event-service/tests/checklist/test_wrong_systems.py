"""Checklist 2, proved: the right system passes, each wrong one fails in one box, and the board names its mistake."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.checklist.kinds import failed_kinds, kind_of
from tests.checklist.known_mistakes import KILLED, PAUSED, WAITS, WRONG
from tests.checklist.programs import pause_command, restart_command, wrong_systems

from workbook.checklist import run
from workbook.checks.report import Outcome, Report

AT_ONCE = 5  # a checklist waits for its system some of the time, so a few more than there are cores
LAWS = "After all these checks, the laws I1 to I3 hold in both databases"
RESTART = "needs --restart COMMAND, a command that kills your server and starts it again"
ELSEWHERE = {
    LAWS,  # see test_laws.py
    "The message has the contract's fields, numbers and types",  # see test_roadmap_system.py
}


@pytest.fixture(scope="module")
def boards(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, "Future[Report]"]]:
    """The checklist's report on each system, as it becomes ready; those that wait the longest begin first."""
    cases = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    chosen = [case["name"] for case in cases if case.get("name") in WRONG]
    folder = tmp_path_factory.mktemp("systems")
    names = ["right", *sorted(chosen, key=lambda name: name not in PAUSED | WAITS | KILLED)]
    with ExitStack() as systems, ThreadPoolExecutor(AT_ONCE) as pool:
        targets = systems.enter_context(wrong_systems(folder, names))
        running = {name: pool.submit(_checked, name, targets[name], folder) for name in names}
        yield running
        for report in running.values():  # after a failure that ends the session early
            report.cancel()


def _checked(name: str, target: str, folder: Path) -> Report:
    restart = restart_command(folder, name) if name in KILLED | {"right"} else None
    pause = pause_command(folder, name) if name in PAUSED | {"right"} else None
    return run(2, target, restart, pause, within=3 if name in PAUSED | WAITS else 5)


def test_right_system_passes(boards: Mapping[str, "Future[Report]"]) -> None:
    report = boards["right"].result()
    assert not report.problem
    assert {check.title for check in report.checks if check.outcome is not Outcome.PASSED} == {LAWS}, _told(report)
    assert report.status == 0


def test_checklist_1_books_what_the_event_service_has(boards: Mapping[str, "Future[Report]"]) -> None:
    report = boards["right"].result()
    both = run(1, report.target)
    assert {check.said for check in both.checks if check.outcome is not Outcome.PASSED} == {RESTART}, _told(both)
    alone = run(1, report.target.split(",")[0])
    assert {check.outcome for check in alone.checks} == {Outcome.PASSED, Outcome.NOT_RUN}, _told(alone)
    assert "needs an event to book: --target booking-service=HOST:PORT,event-service=HOST:PORT" in _told(alone)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_system_fails(boards: Mapping[str, "Future[Report]"], name: str) -> None:
    report = boards[name].result()
    box, words = WRONG[name]
    assert not report.problem
    assert {check.box.split()[0] for check in report.checks if check.outcome is Outcome.FAILED} == {box}, _told(report)
    assert all(said in _told(report) for said in words), _told(report)
    assert all(check.todo for check in report.checks if check.outcome is Outcome.FAILED)
    assert report.status == 1


def test_every_check_can_fail(boards: Mapping[str, "Future[Report]"]) -> None:
    failed = failed_kinds(report.result() for report in boards.values())
    never = {check for check in map(kind_of, boards["right"].result().checks) if check not in failed}
    assert {title for _, title in never} == ELSEWHERE


def _told(report: Report) -> str:
    """Everything that was not passed, failures with their box."""
    return "\n".join(
        f"{check.outcome} {check.box}: {check.said}" for check in report.checks if check.outcome is not Outcome.PASSED
    )
