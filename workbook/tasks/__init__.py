"""The tasks of the lessons: one file a task, with its check, its hints and the wrong answers it must catch.

A task's file is called `tNN_…`. Where the wrong answers are long, they stand beside it in a file `wrong_…`.
"""

import pkgutil
from functools import cache
from importlib import import_module

from workbook.lesson.task import Task


@cache
def tasks() -> dict[str, Task]:
    """Every task by its id, in the order of the lessons."""
    names = [found.name for found in pkgutil.walk_packages(__path__, f"{__name__}.")]
    found: list[Task] = [import_module(name).TASK for name in names if name.rpartition(".")[2].startswith("t")]
    return {task.id: task for task in sorted(found, key=lambda task: task.order)}


def tasks_of(phase: int) -> list[Task]:
    return [task for task in tasks().values() if task.order[0] == phase]
