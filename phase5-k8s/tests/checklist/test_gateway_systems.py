"""Box 5.2, proved: the right gateway passes, each wrong one fails, and the board names its mistake."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.checklist.door import Door
from tests.checklist.gateway_mistakes import WRONG
from tests.checklist.kinds import failed_kinds, kind_of
from tests.checklist.right_gateway import RightGateway
from tests.checklist.right_tokens import organiser

from workbook.bearer import TOKEN
from workbook.checklist import run
from workbook.checks.report import Check, Outcome, Report

Kind = type[RightGateway]
Boards = Mapping[Kind, "Future[Report]"]
AT_ONCE = 6


@pytest.fixture(scope="module")
def boards(request: pytest.FixtureRequest) -> Iterator[Boards]:
    """The checklist's report on each gateway that is asked about, as it becomes ready."""
    cases = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    chosen = [RightGateway, *(case["kind"] for case in cases if case.get("kind") in WRONG)]
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(AT_ONCE) as pool:
        patch.setenv(TOKEN, organiser())
        started = {kind: pool.submit(checked, kind) for kind in chosen}
        yield started
        for report in started.values():  # after a failure that ends the session early
            report.cancel()


def checked(kind: Kind) -> Report:
    door = Door(kind())
    door.open()
    try:
        return run(5, f"gateway={door.address}", deadline=20 if kind is RightGateway else 5)
    finally:
        door.close()


def of_the_gateway(report: Report) -> list[Check]:
    return [check for check in report.checks if check.box.startswith("5.2")]


def test_the_right_gateway_passes(boards: Boards) -> None:
    report = boards[RightGateway].result()
    assert not report.problem
    assert not [check for check in of_the_gateway(report) if check.outcome is not Outcome.PASSED], told(report)


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.__name__)
def test_a_wrong_gateway_fails(boards: Boards, kind: Kind) -> None:
    report = boards[kind].result()
    assert not report.problem
    assert {check.box[:3] for check in report.checks if check.outcome is Outcome.FAILED} == {"5.2"}, told(report)
    assert all(said in told(report) for said in WRONG[kind]), told(report)
    assert "the check itself broke" not in told(report)
    assert all(check.todo for check in report.checks if check.outcome is Outcome.FAILED)
    assert report.status == 1


def test_every_check_can_fail(boards: Boards) -> None:
    failed = failed_kinds(report.result() for report in boards.values())
    assert set(map(kind_of, of_the_gateway(boards[RightGateway].result()))) == failed


def test_there_are_many_mistakes() -> None:
    assert len(WRONG) >= 25


def told(report: Report) -> str:
    """Everything that was not passed; what was not given is not worth a line."""
    return "\n".join(
        f"{check.box[:3]} {check.title}: {check.outcome} ({check.said})"
        for check in report.checks
        if check.outcome is not Outcome.PASSED
        and not check.said.startswith(("needs a folder of ", "needs the address of "))
    )
