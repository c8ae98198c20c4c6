"""The board: boxes in the roadmap's order, and under each what is wrong or could not be run."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from workbook import terminal
from workbook.checks.report import Box, Outcome, Report

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
    for check in box.checks:
        if check.outcome is Outcome.FAILED:
            _print_indented(4, f"{terminal.WRONG} {escape(check.title)}", console)
            _print_indented(6, f"{escape(check.said)}\n[bold]→ {escape(check.todo)}[/]", console)
    for why, titles in _not_run(box).items():
        more = f" [dim]and {len(titles) - 1} more[/]" if len(titles) > 1 else ""
        _print_indented(4, f"{terminal.NOT_RUN} {escape(titles[0])}{more}: not run ({escape(why)})", console)


def _print_indented(columns: int, text: str, console: Console) -> None:
    console.print(Padding(text, (0, 0, 0, columns), expand=False))


def _not_run(box: Box) -> dict[str, list[str]]:
    """The titles of the checks that were not run, by the reason: often one reason holds for many."""
    found: dict[str, list[str]] = {}
    for check in box.checks:
        if check.outcome is Outcome.NOT_RUN:
            found.setdefault(check.said, []).append(check.title)
    return found


def _summary(report: Report) -> str:
    failed, not_run = report.count(Outcome.FAILED), report.count(Outcome.NOT_RUN)
    parts = [f"{terminal.DONE} {report.count(Outcome.PASSED)} passed"]
    parts += [f"{terminal.WRONG} {failed} failed"] if failed else []
    parts += [f"{terminal.NOT_RUN} {not_run} not run, which says nothing about them"] if not_run else []
    return " · ".join(parts)
