"""Checklist 2 on the local stack: real processes, killed and paused, and both databases read at the end."""

from workbook.checklist import run
from workbook.checks.report import Outcome


def test_the_real_services_pass_on_the_local_stack() -> None:
    report = run(2, "local")
    assert not report.problem
    assert {(check.title, check.said) for check in report.checks if check.outcome is not Outcome.PASSED} == set()
    assert [box.name[:3] for box in report.boxes] == ["2.1", "2.2", "2.3"]
    assert report.status == 0
