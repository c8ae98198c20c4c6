"""The lessons as they are built: what is committed is what the source gives, and nothing of a solution leaks."""

import subprocess
from pathlib import Path

import nbformat
import pytest

from workbook.lesson.build import learners_notebook, main, solved_notebook, written
from workbook.lesson.source import Cell, Lesson, WrongSource, lessons
from workbook.phases import ROOT

LESSONS = lessons()


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
    for task, solution in ((task, each) for task, cell in lesson.answers() for each in cell.solutions):
        assert solution.strip() not in code, f"the solution of task {task} stands in the learner's notebook"


def test_a_leak_would_be_seen() -> None:
    cell = Cell("code", "def f():\n    ### BEGIN SOLUTION 9.1\n    return 42\n    ### END SOLUTION", ())
    assert cell.solution.strip() in cell.solved
    assert cell.solution.strip() not in cell.unsolved


def test_holes_keep_the_names() -> None:
    cell = Cell("code", "### BEGIN SOLUTION 9.1\nSQL = 'SELECT 1'\nN: int = 2\n### END SOLUTION", ())
    assert cell.unsolved.splitlines() == [f'{name} = ...  # task 9.1: hint("9.1") helps' for name in ("SQL", "N")]


def test_a_task_with_two_holes_has_a_wrong_answer_in_each() -> None:
    hole = "def {}():\n    ### BEGIN SOLUTION 9.1\n    return {}\n    ### END SOLUTION\n"
    cell = Cell("code", hole.format("f", 42) + hole.format("g", 43), ())
    assert [body.strip() for body in cell.solutions] == ["return 42", "return 43"]
    assert cell.unsolved.count("NotImplementedError") == 2
    assert cell.answered("    return 1\n### NEXT\n    return 2\n") == "def f():\n    return 1\ndef g():\n    return 2"


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


def _committed(path: str) -> str:
    """The file as git has it: a learner's own work in a notebook is no failure of the workbook."""
    shown = subprocess.run(["git", "show", f":{path}"], cwd=ROOT, capture_output=True, text=True, check=False)
    return shown.stdout if shown.returncode == 0 else (ROOT / path).read_text()
