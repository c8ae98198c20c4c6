"""The lessons on the command line: the same ids as in the notebooks."""

import shutil
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.table import Table

from workbook.lesson import hint, progress, solution
from workbook.lesson.build import LEARNERS, learners_notebook, written
from workbook.lesson.judge import judge_source
from workbook.lesson.source import answer_cell, lessons
from workbook.lesson.speech import say_verdict
from workbook.phases import ROOT
from workbook.tasks import tasks
from workbook.terminal import DONE, console, error

BACKUPS = ROOT / ".learn" / "backups"


def show_hint(name: str) -> int:
    hint(name)
    return 0 if name in tasks() else 2


def show_solution(name: str) -> int:
    solution(name)
    return 0 if name in tasks() else 2


def check_task(name: str, *, watch: bool) -> int:
    """Checks the answer in the saved notebook; with `watch` again at each save, until it passes."""
    if name not in tasks():
        error(f"there is no task {name}; there is {', '.join(tasks())}")
        return 2
    path = LEARNERS / f"{answer_cell(name)[0].name}.ipynb"
    while True:
        saved = path.stat().st_mtime_ns
        verdict = judge_source(tasks()[name], _answer(path, name))
        progress.record(verdict)
        say_verdict(verdict)
        if verdict.passed or verdict.needs or not watch:
            return 0 if verdict.passed else 1
        console.print(f"[dim]watching {path.relative_to(ROOT)}; save it to check again, Ctrl-C ends[/]")
        while path.stat().st_mtime_ns == saved:
            time.sleep(0.2)


def show_board() -> int:
    """All tasks in order, with what passed and how many hints were read."""
    kept = progress.read()
    table = Table("", "task", "", "hints", box=None, pad_edge=False, header_style="dim")
    for task in tasks().values():
        mark = DONE if task.id in kept["passed"] else "[dim]·[/]"
        table.add_row(mark, task.id, task.title, str(kept["hints"].get(task.id, "")))
    console.print(table)
    done = [name for name in kept["passed"] if name in tasks()]
    console.print(f"{len(done)} of {len(tasks())} done. A lesson's last cell proves its tasks again.")
    return 0


def reset(name: str) -> int:
    """Puts a task's cell, or a whole lesson (by its phase), back to how it came; what was there is backed up."""
    chosen = [lesson for lesson in lessons() if name in {task for task, _ in lesson.answers()} | _numbers(lesson.name)]
    if not chosen:
        error(f"there is no lesson and no task {name}; ./learn list shows the tasks")
        return 2
    path = LEARNERS / f"{chosen[0].name}.ipynb"
    fresh = learners_notebook(chosen[0])
    if path.exists():
        console.print(f"{DONE} backed up to {_back_up(path).relative_to(ROOT)}")
        if "." in name:
            fresh = _with_cell_of(nbformat.read(path, 4), fresh, name)
    path.write_text(written(fresh))
    console.print(f"{DONE} {path.relative_to(ROOT)}: {name} is as it came. In JupyterLab: File, Reload from Disk")
    return 0


def _answer(path: Path, task: str) -> str:
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.metadata.get("task") == task]
    return cells[0] if cells else ""


def _back_up(path: Path) -> Path:
    BACKUPS.mkdir(parents=True, exist_ok=True)
    copy = BACKUPS / f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**6:06}.ipynb"
    shutil.copy(path, copy)
    return copy


def _with_cell_of(mine: NotebookNode, fresh: NotebookNode, task: str) -> NotebookNode:
    (original,) = [cell for cell in fresh.cells if cell.metadata.get("task") == task]
    mine.cells = [original if cell.metadata.get("task") == task else cell for cell in mine.cells]
    return mine


def _numbers(lesson: str) -> set[str]:
    return {lesson, "0"} if lesson == "start_here" else {lesson, lesson.removeprefix("phase").split("_")[0]}
