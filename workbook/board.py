"""The board: boxes in the roadmap's order, and under each what is wrong or could not be run."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from workbook import terminal
from workbook.checks.report import Box, Check, Outcome, Report

MARKS = {Outcome.PASSED: terminal.DONE, Outcome.FAILED: terminal.WRONG, Outcome.NOT_RUN: terminal.NOT_RUN}


def print_board(report: Report, console: Console = terminal.console) -> int:
    """Prints the board and returns the exit status that says the same (see `Report.status`)."""
    if report.problem:
        terminal.error(report.problem)
        return report.status
    console.print(f"[bold]Phase {report.phase} checklist[/] · {escape(report.against or report.target)}\n")
    for box in report.boxes:
        _print_box(box, console)
    console.print(f"\n{_summary(report)}")
    return report.status


def _print_box(box: Box, console: Console) -> None:
    passed = sum(check.outcome is Outcome.PASSED for check in box.checks)
    console.print(f"{MARKS[box.outcome]} [bold]{escape(box.name)}[/] [dim]{passed} of {len(box.checks)}[/]")
    told = [_wrong(check) for check in box.checks if check.outcome is Outcome.FAILED]
    not_run = [check for check in box.checks if check.outcome is Outcome.NOT_RUN]
    told += [_not_run(why, [check.title for check in not_run if check.said == why]) for why in _reasons(not_run)]
    for text in told:
        console.print(Padding(text, (0, 0, 0, 4), expand=False))


def _wrong(check: Check) -> str:
    return f"{terminal.WRONG} {escape(check.title)}\n  {escape(check.said)}\n  [bold]→ {escape(check.todo)}[/]"


def _not_run(why: str, titles: list[str]) -> str:
    more = f" [dim]and {len(titles) - 1} more[/]" if len(titles) > 1 else ""
    return f"{terminal.NOT_RUN} {escape(titles[0])}{more}: not run ({escape(why)})"


def _reasons(checks: list[Check]) -> list[str]:
    return list(dict.fromkeys(check.said for check in checks))


def _summary(report: Report) -> str:
    failed, not_run = report.count(Outcome.FAILED), report.count(Outcome.NOT_RUN)
    parts = [f"{terminal.DONE} {report.count(Outcome.PASSED)} passed"]
    parts += [f"{terminal.WRONG} {failed} failed"] if failed else []
    parts += [f"{terminal.NOT_RUN} {not_run} not run, which says nothing about them"] if not_run else []
    return " · ".join(parts)
