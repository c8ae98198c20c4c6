"""What a proof of a checklist asks of its reports: which checks have failed for somebody."""

from collections.abc import Iterable

from workbook.checks.report import Check, Outcome, Report

Kind = tuple[str, str]


def kind_of(check: Check) -> Kind:
    """The check, whatever case it was tried with: its box and its title."""
    return check.box[:3], check.title.split(":")[0]


def failed_kinds(reports: Iterable[Report]) -> set[Kind]:
    return {kind_of(check) for report in reports for check in report.checks if check.outcome is Outcome.FAILED}
