"""A system that has only what the roadmap asks for: nothing of it is called wrong, and what it lacks is named."""

from pathlib import Path

from tests.checklist.roadmap_observability import roadmap_observability

from workbook.checklist import run
from workbook.checks.report import Check, Outcome
from workbook.needs import needs


def told(checks: list[Check], outcome: Outcome) -> set[str]:
    return {check.said for check in checks if check.outcome is outcome}


def test_it_passes_and_hears_what_it_lacks(tmp_path: Path) -> None:
    needs("prometheus")
    with roadmap_observability(tmp_path) as target:
        report = run(4, target)
    assert not told(report.checks, Outcome.FAILED)
    assert report.status == 0
    assert {check.title.split(":")[0] for check in report.checks if check.outcome is Outcome.PASSED} == set()
    assert {words.split(":")[0] for words in told(report.checks, Outcome.NOT_RUN)} == set()


def test_parts_that_were_not_given_are_not_run() -> None:
    report = run(4, "127.0.0.1:1")
    assert report.problem
