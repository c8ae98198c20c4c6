"""What a notebook imports: check, hint, solution, predict, outcome and the local stack."""

from IPython.core.getipython import get_ipython

from workbook.lesson import progress
from workbook.lesson.judge import judge
from workbook.lesson.predictions import calibration, outcome, predict
from workbook.lesson.shared_stack import local_stack
from workbook.lesson.source import answer_cell
from workbook.lesson.speech import fold_tracebacks, say, say_verdict
from workbook.lesson.task import Task

__all__ = ["calibration", "check", "hint", "local_stack", "outcome", "predict", "prove", "solution"]


def check(name: str) -> None:
    """Checks the answer to a task as it stands in this notebook now."""
    task = _task(name)
    if task is not None:
        verdict = judge(task, _namespace())
        progress.record(verdict)
        say_verdict(verdict)


def hint(name: str, number: int | None = None) -> None:
    """The next of a task's three hints, or hint `number`."""
    task = _task(name)
    if task is None:
        return
    kept = progress.read()
    wanted = number or kept["hints"].get(name, 0) + 1
    shown = min(max(wanted, 1), len(task.hints))
    kept["hints"][name] = max(shown, kept["hints"].get(name, 0))
    progress.write(kept)
    say("→", f"{name} hint {shown} of {len(task.hints)}: {task.hints[shown - 1]}")


def solution(name: str) -> None:
    """A solution of the task, to compare with your own."""
    if _task(name) is not None:
        say("→", f"{name} one solution:\n{answer_cell(name)[1].solution}")


def prove(phase: int) -> None:
    """Checks every task of a phase again, now: done is what passes now, not what passed once."""
    from workbook.tasks import tasks_of  # noqa: PLC0415 - as in fold_tracebacks

    for task in tasks_of(phase):
        check(task.id)


def _task(name: str) -> Task | None:
    from workbook.tasks import tasks  # noqa: PLC0415 - as in fold_tracebacks

    if name not in tasks():
        say("✗", f"there is no task {name}; there is {', '.join(tasks())}")
        return None
    return tasks()[name]


def _namespace() -> dict[str, object]:
    shell = get_ipython()
    return {} if shell is None else shell.user_ns


fold_tracebacks()
