"""The learners' notebooks run unsolved, as they get them. A file of its own: it runs beside the solved ones."""

import pytest

from tests.notebooks import run_notebook
from workbook.lesson.build import learners_notebook, written
from workbook.lesson.source import Lesson, lessons
from workbook.phases import ROOT


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_the_learners_notebook_runs_unsolved(lesson: Lesson) -> None:
    notebook = learners_notebook(lesson)
    # The checklist in the last section knows nothing of answers: once is enough, and the solved notebook runs it.
    notebook.cells = [cell for cell in notebook.cells if "workbook.checklist import run" not in cell.source]
    path = ROOT / "notebooks" / f".{lesson.name}-test.ipynb"
    path.write_text(written(notebook))
    try:
        run_notebook("--nbval-lax", path)
    finally:
        path.unlink()
