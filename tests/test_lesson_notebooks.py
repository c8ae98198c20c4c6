"""The notebooks run: unsolved as a learner gets them, solved with the outputs that are committed; nothing stays."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from workbook.lesson.build import learners_notebook, written
from workbook.lesson.source import Lesson, lessons
from workbook.phases import ROOT

LESSONS = lessons()


@pytest.fixture(autouse=True)
def own_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_PROGRESS", str(tmp_path / "progress.json"))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_learners_notebook_runs_unsolved(lesson: Lesson) -> None:
    path = ROOT / "notebooks" / f".{lesson.name}-test.ipynb"
    path.write_text(written(learners_notebook(lesson)))
    try:
        _run_notebook("--nbval-lax", path)
    finally:
        path.unlink()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_executed_solution_gives_the_same_again(lesson: Lesson) -> None:
    sanitize = ROOT / "solutions" / "sanitize.cfg"
    _run_notebook("--nbval", ROOT / "solutions" / f"{lesson.name}.ipynb", f"--nbval-sanitize-with={sanitize}")


def test_nothing_outlives_a_killed_kernel() -> None:
    manager, client = start_new_kernel()
    started = (
        "from workbook.lesson import local_stack\n"
        "import json\n"
        "print(json.dumps([part.pid for part in local_stack(1).parts.values()]))"
    )
    printed: list[str] = []
    client.execute_interactive(
        started, timeout=60, output_hook=lambda told: printed.append(told["content"].get("text", ""))
    )
    pids = json.loads("".join(printed))
    assert [pid for pid in pids if _alive(pid)] == pids
    manager.signal_kernel(9)
    client.stop_channels()
    deadline = time.monotonic() + 20
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a part outlived its notebook's kernel"
        time.sleep(0.05)
    manager.shutdown_kernel(now=True)  # reaps it
    manager.cleanup_resources()


def _run_notebook(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "default"]
    ran = subprocess.run(
        [*command, "--override-ini=addopts=", "--timeout=300", "--nbval-cell-timeout=120", *map(str, arguments)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # PostgreSQL may run as another user
        return True
    return True
