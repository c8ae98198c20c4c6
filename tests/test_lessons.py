"""The lessons: their checks judge rightly, their notebooks run, nothing of a solution leaks, nothing stays behind."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from workbook.lesson.build import learners_notebook, main, solved_notebook, written
from workbook.lesson.judge import judge_source
from workbook.lesson.source import Cell, Lesson, WrongSource, lessons
from workbook.lesson.task import Task, WrongAnswer
from workbook.phases import ROOT
from workbook.tasks import tasks

LESSONS = lessons()
ANSWERS = {task: cell for lesson in LESSONS for task, cell in lesson.answers()}
WRONG = [(task, answer) for task in tasks().values() for answer in task.wrong]


@pytest.fixture(autouse=True)
def own_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_PROGRESS", str(tmp_path / "progress.json"))


def test_every_task_has_its_cell_and_every_cell_its_task() -> None:
    assert set(ANSWERS) == set(tasks())


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_an_unsolved_hole_fails_with_its_own_message(task: Task) -> None:
    verdict = judge_source(task, ANSWERS[task.id].unsolved)
    assert not verdict.passed
    assert verdict.message.startswith("not written yet"), verdict.message


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_the_solution_passes(task: Task) -> None:
    verdict = judge_source(task, ANSWERS[task.id].solved)
    assert verdict.passed, f"{verdict.message}\n{verdict.trace}"


@pytest.mark.parametrize(("task", "answer"), WRONG, ids=[f"{task.id} {answer.name}" for task, answer in WRONG])
def test_a_known_wrong_answer_is_caught_by_name(task: Task, answer: WrongAnswer) -> None:
    verdict = judge_source(task, ANSWERS[task.id].answered(answer.code))
    assert not verdict.passed
    assert answer.says in verdict.message, verdict.message


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_a_task_is_well_made(task: Task) -> None:
    assert len(task.wrong) >= 2
    assert len(set(task.hints)) == 3
    solution = ANSWERS[task.id].solution.strip()
    assert not [hint for hint in task.hints if solution in hint]


def test_an_endless_answer_ends_with_a_message() -> None:
    endless = Task("9.9", "", ("loop",), ("", "", ""), lambda loop: loop(), (), seconds=0.2)
    verdict = judge_source(endless, "import time\ndef loop():\n    while True: time.sleep(0.01)\n")
    assert verdict.message == "not done after 0.2 s: does something wait for ever?"


def test_a_broken_answer_is_a_message_first_and_a_traceback_folded() -> None:
    verdict = judge_source(tasks()["0.1"], "def total(counts): return counts.sum()")
    assert verdict.message.startswith("your code raised AttributeError")
    assert "Traceback" not in verdict.message
    assert "Traceback" in verdict.trace


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_committed_notebook_is_what_the_source_gives(lesson: Lesson) -> None:
    assert _committed(f"notebooks/{lesson.name}.ipynb") == written(learners_notebook(lesson)), "run ./learn build"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_executed_solution_is_of_this_source(lesson: Lesson) -> None:
    executed = nbformat.reads(_committed(f"solutions/{lesson.name}.ipynb"), 4).cells
    assert [(cell.id, cell.source) for cell in executed] == [
        (cell.id, cell.source) for cell in solved_notebook(lesson).cells
    ], "run ./learn build"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_no_solution_leaks_into_the_learners_notebook(lesson: Lesson) -> None:
    code = "\n".join(cell.source for cell in learners_notebook(lesson).cells if cell.cell_type == "code")
    assert "SOLUTION" not in code
    assert 'choice="' not in code
    for task, cell in lesson.answers():
        assert cell.solution.strip() not in code, f"the solution of task {task} stands in the learner's notebook"


def test_a_leak_would_be_seen() -> None:
    cell = Cell("code", "def f():\n    ### BEGIN SOLUTION 9.1\n    return 42\n    ### END SOLUTION", ())
    assert cell.solution.strip() in cell.solved
    assert cell.solution.strip() not in cell.unsolved


def test_holes_keep_the_names() -> None:
    cell = Cell("code", "### BEGIN SOLUTION 9.1\nSQL = 'SELECT 1'\nN: int = 2\n### END SOLUTION", ())
    assert cell.unsolved.splitlines() == [f'{name} = ...  # task 9.1: hint("9.1") helps' for name in ("SQL", "N")]


def test_an_include_that_leads_nowhere_is_refused() -> None:
    cell = Cell("code", "### INCLUDE phase1-grpc/booking_service/domain.py::nothing", ())
    with pytest.raises(WrongSource, match=r"domain.py has no nothing"):
        _ = cell.expanded


def test_an_include_is_the_services_own_code() -> None:
    cell = Cell("code", "    ### INCLUDE phase1-grpc/booking_service/domain.py::origins", ())
    assert cell.expanded == "    return [status for status, targets in MOVES.items() if target in targets]"


def test_build_check_sees_a_changed_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("workbook.lesson.build.LEARNERS", tmp_path)
    monkeypatch.setattr("workbook.lesson.build.ROOT", tmp_path.parent)
    for lesson in LESSONS:
        (tmp_path / f"{lesson.name}.ipynb").write_text(written(learners_notebook(lesson)))
    assert main(check=True) == 0
    (tmp_path / "start_here.ipynb").write_text("{}")
    assert main(check=True) == 1


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


def _committed(path: str) -> str:
    """The file as git has it: a learner's own work in a notebook is no failure of the workbook."""
    shown = subprocess.run(["git", "show", f":{path}"], cwd=ROOT, capture_output=True, text=True, check=False)
    return shown.stdout if shown.returncode == 0 else (ROOT / path).read_text()


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
