"""`./learn test`: everything there is to prove, stage by stage, as a board."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from rich.markup import escape

from workbook.phases import ROOT, phase_folders
from workbook.terminal import DONE, NOT_RUN, WRONG, console, error

_BIN = Path(sys.executable).parent


# A file's tests stay together, for what they share. They mostly wait for processes and for notebooks, so three of them
# keep two cores busy.
_ALL_TESTS = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")


def stages(pytest: Sequence[str] = ()) -> dict[str, list[list[str]]]:
    """The commands of each stage by its name; a stage passes when all its commands exit with 0.

    `pytest` chooses tests: all of them run three files at a time, chosen ones in this process, as a debugger wants it.
    """
    in_phases = sorted(path.parent.name for phase in phase_folders().values() for path in phase.glob("*/__init__.py"))
    packages = [argument for name in ("workbook", "bench", *in_phases) for argument in ("-p", name)]
    checklists = sorted(phase / "checklist" for phase in phase_folders().values() if (phase / "checklist").is_dir())
    return {
        "lint": [[_tool("ruff"), "check", "."], [_tool("ruff"), "format", "--check", "."]],
        # One namespace over the phases: as a package, mypy would look at the first phase's alone.
        "types": [[_tool("mypy"), *packages], *([_tool("mypy"), str(folder)] for folder in checklists)],
        "contract": [[_tool("lint-imports"), "--no-cache"]],
        "protos": [[_tool("buf"), "lint"], _learn("proto", "--check")],
        "locks": [_learn("lock", "--check")],
        "tests": [[sys.executable, "-m", "pytest", *(pytest or _ALL_TESTS)]],
    }


def main(only: Sequence[str] | None, pytest: Sequence[str]) -> int:
    known = stages(pytest)
    unknown = [name for name in only or () if name not in known]
    if unknown:
        error(f"no stage {', '.join(unknown)}; there is {', '.join(known)}")
        return 2
    chosen = only or (["tests"] if pytest else list(known))
    with TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        known["tests"][0].append(f"--junitxml={report}")
        failed = [name for name in chosen if not _passes(name, known[name])]
        not_run = _not_run(report)
    if failed:
        console.print(f"{WRONG} {len(failed)} of {len(chosen)} stages failed: {', '.join(failed)}")
        return 1
    more = f" · {NOT_RUN} {not_run} tests not run, see above" if not_run else ""
    console.print(f"{DONE} {', '.join(chosen)}: all green{more}")
    return 0


def _not_run(report: Path) -> int:
    """How many tests this machine could not run, as pytest says; 0 if it was not started."""
    if not report.exists():
        return 0
    suites = ET.parse(report).iter("testsuite")  # noqa: S314 - our own pytest wrote it
    return sum(int(suite.get("skipped", 0)) for suite in suites)


def _passes(name: str, commands: Sequence[Sequence[str]]) -> bool:
    began = time.monotonic()
    shown = name == "tests"  # pytest has a progress display of its own
    for command in commands:
        run = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PATH": f"{_BIN}{os.pathsep}{os.environ.get('PATH', '')}"},
            stdout=None if shown else subprocess.PIPE,
            stderr=None if shown else subprocess.STDOUT,
            text=True,
            check=False,
        )
        if run.returncode:
            console.print(escape(run.stdout or ""), soft_wrap=True)
            console.print(f"{WRONG} {name}: {escape(' '.join(_short(command)))} exited with {run.returncode}")
            return False
    console.print(f"{DONE} {name} [dim]{time.monotonic() - began:.1f} s[/]")
    return True


def _short(command: Sequence[str]) -> list[str]:
    return [Path(command[0]).name, *command[1:]]


def _tool(name: str) -> str:
    return str(_BIN / name)


def _learn(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "workbook", *arguments]
