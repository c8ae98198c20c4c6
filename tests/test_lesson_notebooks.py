"""The executed notebooks run again, with the outputs that are committed; nothing of a kernel stays."""

import json
import os
import time

import pytest
from jupyter_client.manager import start_new_kernel

from tests.notebooks import run_notebook
from workbook.lesson.source import Lesson, lessons
from workbook.needs import missing, needs
from workbook.phases import ROOT

OUTPUTS_WANT = {"phase4_observability": ("prometheus-tools",), "phase5_kubernetes": ("linux",)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_the_executed_solution_gives_the_same_again(lesson: Lesson) -> None:
    """Where a check says ○ for want of something, its outputs are others: there, all cells run, and that is said."""
    wanted = OUTPUTS_WANT.get(lesson.name, ())
    compare = "--nbval-lax" if any(map(missing, wanted)) else "--nbval"
    sanitize = ROOT / "solutions" / "sanitize.cfg"
    run_notebook(compare, ROOT / "solutions" / f"{lesson.name}.ipynb", f"--nbval-sanitize-with={sanitize}")
    needs(*wanted)


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


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # PostgreSQL may run as another user
        return True
    return True
