"""`./learn build`: from each authored lesson the learner's notebook (holes, no outputs) and the executed solution,
and from all of them what instructors read.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from workbook.lesson.recall import recall
from workbook.lesson.schedule import schedule
from workbook.lesson.source import Cell, Lesson, lessons
from workbook.phases import ROOT
from workbook.terminal import DONE, WRONG, console

LEARNERS = ROOT / "notebooks"
SOLVED = ROOT / "solutions"
DOCUMENTS = ROOT / "docs"
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What the engine's tags mean to the tools that run notebooks.
_USES_ANSWER, _MEASURED, _RAISES, _IGNORED = "uses-answer", "measured", "raises-exception", "nbval-ignore-output"


def main(names: Sequence[str] = (), *, check: bool) -> int:
    chosen = [lesson for lesson in lessons() if not names or lesson.name in names]
    fresh = {LEARNERS / f"{lesson.name}.ipynb": written(learners_notebook(lesson)) for lesson in chosen} | documents()
    if check:
        return _stale(fresh)
    for path, text in fresh.items():
        path.write_text(text)
        console.print(f"{DONE} {path.relative_to(ROOT)}")
    for lesson in chosen:
        solved = SOLVED / f"{lesson.name}.ipynb"
        solved.write_text(written(executed(solved_notebook(lesson), solved)))
        console.print(f"{DONE} {solved.relative_to(ROOT)}")
    return 0


def documents() -> dict[Path, str]:
    """The pages for instructors, made of all lessons."""
    return {DOCUMENTS / "schedule.md": schedule(lessons()), DOCUMENTS / "recall.md": recall(lessons())}


def learners_notebook(lesson: Lesson) -> NotebookNode:
    """Holes where the learner writes, no outputs."""
    return _notebook([_cell(cell, cell.unsolved, solved=False) for cell in lesson.cells])


def solved_notebook(lesson: Lesson) -> NotebookNode:
    """The same with its solutions, not executed yet."""
    return _notebook([_cell(cell, cell.solved, solved=True) for cell in lesson.cells])


def executed(notebook: NotebookNode, before: Path) -> NotebookNode:
    """The notebook with its outputs. A measured cell keeps the output it had in `before`, if its source is the same:
    so a rebuild changes nothing but what really changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = os.environ.get("WORKBOOK_PROGRESS")
        os.environ["WORKBOOK_PROGRESS"] = str(Path(folder) / "progress.json")  # the build is no learner
        try:
            NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(LEARNERS)}}).execute()
        finally:
            os.environ.pop("WORKBOOK_PROGRESS")
            os.environ.update({"WORKBOOK_PROGRESS": kept} if kept else {})
    earlier = {cell.id: cell for cell in nbformat.read(before, 4).cells} if before.exists() else {}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if _MEASURED in cell.metadata.get("tags", ()) and earlier.get(cell.id, {}).get("outputs"):
            cell.outputs = earlier[cell.id].outputs
    return notebook


def written(notebook: NotebookNode) -> str:
    text: str = nbformat.writes(notebook)
    return text + "\n"


def _stale(fresh: dict[Path, str]) -> int:
    stale = [path for path, text in fresh.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        console.print(f"{WRONG} {path.relative_to(ROOT)} is not what its source gives; run ./learn build")
    return 1 if stale else 0


def _notebook(cells: list[NotebookNode]) -> NotebookNode:
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=_METADATA)
    return notebook


def _cell(cell: Cell, text: str, *, solved: bool) -> NotebookNode:
    tags = set(cell.tags)
    if _USES_ANSWER in tags and not solved:
        tags.add(_RAISES)
    if _MEASURED in tags:
        tags.add(_IGNORED)
    metadata = {**({"tags": sorted(tags)} if tags else {}), **({"task": cell.task} if cell.task else {})}
    make = nbformat.v4.new_markdown_cell if cell.kind == "markdown" else nbformat.v4.new_code_cell
    made: NotebookNode = make(text, id=cell.id, metadata=metadata)
    return made
