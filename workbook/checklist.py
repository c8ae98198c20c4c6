"""`./learn check`: a phase's checklist against a running system, as a board.

The checks live in each phase's folder `checklist`: a file is a box of the roadmap's list, a test in it is one check,
and their docstrings are the names on the board. They run in a process of their own (see workbook/checks).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from workbook.board import print_board
from workbook.checks.folders import seen_from_here
from workbook.checks.report import Check, Outcome, Report
from workbook.phases import ROOT, newest_checked_phase, newest_composed_phase, phase_folders
from workbook.terminal import console

Progress = Callable[[str], None]
DEADLINE = 5.0  # seconds for each call
_WHOLE_SYSTEM = "compose"
_LIMIT_OF_ONE_CHECK = 240  # seconds; each call has a deadline of its own, this is the last resort


def main(
    phase: int | None,
    target: str,
    restart: str | None,
    pause: str | None,
    as_of: int | None = None,
    deadline: float = DEADLINE,
) -> int:
    """Prints the board of a phase, the newest by default; returns the exit status (see `Report.status`).

    In containers there is a whole system: without a phase it is held against the checklists of all, one by one.
    """
    if phase is None and target == _WHOLE_SYSTEM:
        whole = as_of or newest_composed_phase()
        phases = range(1, newest_checked_phase() + 1)
        return max(main(number, target, restart, pause, whole, deadline) for number in phases)
    chosen = phase or newest_checked_phase()
    with console.status("checking") as shown:
        report = run(chosen, target, restart, pause, deadline=deadline, as_of=as_of, progress=shown.update)
    return print_board(report)


def run(
    phase: int,
    target: str,
    restart: str | None = None,
    pause: str | None = None,
    *,
    deadline: float = DEADLINE,
    within: float | None = None,
    as_of: int | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Runs the checks of `phase` against `target`, giving each call `deadline` seconds; never raises for what it finds.

    What follows from a call, such as a message, is looked for `within` seconds, the deadline where nothing is said:
    less shortens the proof that it never comes, and no call is given up because a machine is busy.

    `target` is "local", "compose", "kubernetes", HOST:PORT, or NAME=HOST:PORT,…, with folders as in
    workbook/checks/folders.py; `restart` and `pause` are shell commands, see
    workbook/checks/targets.py. The local and the compose stack are those of the phase `as_of` (default: `phase`).
    """
    report, finished = Report(phase, target), False
    target = seen_from_here(target)
    checks = phase_folders().get(phase, ROOT) / "checklist"
    if not checks.is_dir():
        report.problem = f"phase {phase} has no checklist"
        return report
    options = [f"--as-of={as_of or phase}", f"--target={target}", f"--deadline={deadline}"]
    given = {"restart": restart, "pause": pause, "within": within}
    options += [f"--{name}={value}" for name, value in given.items() if value]
    with tempfile.TemporaryFile("w+") as output:
        for line in _results(checks, options, output):
            told = json.loads(line)
            finished = told.get("finished", finished)
            _take(report, told, progress)
        if not finished and not report.problem:  # a board that lacks checks would look better than the system is
            output.seek(0)
            report.problem = f"the checklist ended early:\n{output.read().strip()}"
    return report


def _take(report: Report, told: dict[str, Any], progress: Progress) -> None:
    match told:
        case {"check": result}:
            report.checks.append(Check(**{**result, "outcome": Outcome(result["outcome"])}))
        case {"problem": problem}:
            report.problem = problem
        case {"against": against}:
            report.against = against
        case {"progress": step}:
            progress(step)


def _results(checks: Path, options: list[str], output: IO[str]) -> Iterable[str]:
    """The lines that the plugin writes, as they come."""
    read, write = os.pipe()
    with os.fdopen(read) as lines:
        program = subprocess.Popen(
            [*_pytest(checks), f"--results-fd={write}", *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": _python_path(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[write],
            start_new_session=True,  # a Ctrl-C ends it through us, once, so that it can stop what it started
        )
        os.close(write)
        try:
            yield from lines
        except BaseException:
            program.send_signal(signal.SIGINT)
            raise
        finally:
            program.wait()


def _pytest(checks: Path) -> list[str]:
    # No configuration file and no plugins but ours: checks have nothing to do with this repository's own tests, and
    # pytest starts ten times faster.
    plugins = ["-p", "workbook.checks.plugin", "-p", "pytest_timeout", "-p", "no:cacheprovider", "--assert=plain"]
    limits = ["-o", f"timeout={_LIMIT_OF_ONE_CHECK}"]
    return [
        *(sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(ROOT), "--confcutdir", str(checks)),
        *("--import-mode=importlib", *plugins, *limits, str(checks)),
    ]


def _python_path() -> str:
    folders = [str(ROOT), *map(str, phase_folders().values()), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(filter(None, folders))
