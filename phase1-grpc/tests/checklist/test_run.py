"""A run of a checklist of its own: what a check can come to, how a run can end, and how the board tells it."""

import io
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console
from tests.checklist.scripts import roadmap_server, wrong_servers

from workbook import checklist
from workbook.board import print_board
from workbook.checklist import run
from workbook.checks.report import Outcome, Report

CHECKS = '''
    """9.1 All that a check can come to."""

    import pytest
    from workbook.checks.verdict import expect, not_run

    def test_right(system):
        """It works."""
        expect(system.address("booking-service"), "there is no address", "give one")

    def test_elsewhere(system):
        """It asks another service."""
        system.address("event-service")

    @pytest.mark.parametrize("case", ["one", "two"])
    def test_wrong(case):
        """It does not."""
        expect(case == "one", f"{case} is [wrong]", "do it again")

    def test_cannot():
        """It cannot be tried."""
        not_run("needs a moon")

    def test_cannot_either():
        """Nor can this."""
        not_run("needs a moon")
'''
BROKEN = '''
    """9.2 Mistakes of the checklist itself."""

    def test_broken():
        """It breaks."""
        raise KeyError("oh")
'''
BOARD = """\
Phase 9 checklist · TARGET

✗ 9.1 All that a check can come to 2 of 6
    ✗ It does not: two
      two is [wrong]
      → do it again
    ○ It asks another service: not run (needs the address of event-service: --target event-service=HOST:PORT,…)
    ○ It cannot be tried and 1 more: not run (needs a moon)
✗ 9.2 Mistakes of the checklist itself 0 of 1
    ✗ It breaks
      the check itself broke: KeyError: 'oh'
      → report this: it is a mistake in the checklist, not in your server

✓ 2 passed · ✗ 2 failed · ○ 3 not run, which says nothing about them
"""


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with roadmap_server() as target:
        yield target


Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file of checks for a phase 9."""
    folder = tmp_path / "checklist"
    folder.mkdir()
    monkeypatch.setattr(checklist, "phase_folders", lambda: {9: tmp_path})

    def write(name: str, text: str) -> None:
        (folder / name).write_text(textwrap.dedent(text))

    return write


def test_each_outcome_and_the_board(write: Write, target: str) -> None:
    write("test_9_1.py", CHECKS)
    write("test_9_2.py", BROKEN)
    report = run(9, target)
    assert [box.outcome for box in report.boxes] == [Outcome.FAILED, Outcome.FAILED]
    assert printed(report) == (BOARD.replace("TARGET", target), 1)


def test_what_was_not_run_is_no_pass(write: Write, target: str) -> None:
    write("test_9_1.py", "'9.1 A box.'\nimport pytest\n\ndef test_one(): pass\n\ndef test_two(): pytest.skip('no')\n")
    report = run(9, target)
    assert [box.outcome for box in report.boxes] == [Outcome.NOT_RUN]
    assert report.status == 0
    assert "1 passed" in printed(report)[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("def test_one(): pass\n\ndef test_two(): __import__('os')._exit(0)\n", "the checklist ended early"),
        ("", "the checklist ended early"),
    ],
)
def test_a_run_that_ends_early_is_no_pass(write: Write, target: str, text: str, words: str) -> None:
    write("test_9_1.py", text)
    report = run(9, target)
    assert words in report.problem
    assert report.status == 2


def test_a_phase_without_checks() -> None:
    assert run(99, "local").problem == "phase 99 has no checklist"


def test_nothing_passed_is_no_success() -> None:
    assert Report(1, "local").status == 2


def test_progress(write: Write, target: str) -> None:
    write("test_9_1.py", CHECKS)
    steps: list[str] = []
    run(9, target, progress=steps.append)
    assert steps[0] == f"calling {target}"
    assert steps[-1] == "9.1 All that a check can come to"


def test_a_deadline_is_that_of_the_calls(write: Write, target: str) -> None:
    write("test_9_1.py", "'9.1 A box.'\n\ndef test_one(system): assert system.patience == 7\n")
    assert checklist.main(9, target, None, None, deadline=7) == 0
    assert checklist.main(9, target, None, None) == 1


def test_a_server_that_hangs_does_not_hang_the_run(tmp_path: Path) -> None:
    with wrong_servers(tmp_path, ["hangs_always"]) as targets:
        report = run(1, targets["hangs_always"], deadline=1)
    told = [check.said for check in report.checks if check.outcome is Outcome.FAILED]
    assert "CreateBooking with 30 calls in flight did not answer within its deadline" in told
    assert all("did not answer within its deadline" in said or "DEADLINE_EXCEEDED" in said for said in told)


def test_the_real_service_passes_on_the_local_stack() -> None:
    report = run(1, "local")
    assert not report.problem
    assert {(check.title, check.said) for check in report.checks if check.outcome is not Outcome.PASSED} == set()
    assert [box.name[:3] for box in report.boxes] == ["1.1", "1.2", "1.3", "1.4", "1.5"]
    assert report.status == 0


def printed(report: Report) -> tuple[str, int]:
    text = io.StringIO()
    status = print_board(report, Console(file=text, width=120, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()), status
