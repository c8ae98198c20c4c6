"""The learners' notebooks run unsolved, as they get them. A file of its own: it runs beside the solved ones."""

import pytest

from tests.notebooks import run_notebook
from workbook.lesson.build import learners_notebook, written
from workbook.lesson.source import Lesson, lessons
from workbook.phases import ROOT


@pytest.mark.timeout(400)
@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_the_learners_notebook_runs_unsolved(lesson: Lesson) -> None:
    path = ROOT / "notebooks" / f".{lesson.name}-test.ipynb"
    path.write_text(written(learners_notebook(lesson)))
    try:
        run_notebook("--nbval-lax", path)
    finally:
        path.unlink()
