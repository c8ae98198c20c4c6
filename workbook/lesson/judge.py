"""Judging an answer: runs a task's check against what the learner wrote, and turns whatever happens into words."""

import asyncio
import inspect
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbook.lesson.task import NotRun, Task, Wrong


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check. `trace` is the traceback of an answer that broke, for those who want to see it.

    `needs` names what this machine lacks: then the answer was not judged, and it has neither passed nor failed.
    """

    task: Task
    passed: bool
    message: str
    trace: str = ""
    needs: str = ""

    @property
    def mark(self) -> str:
        return "○" if self.needs else "✓" if self.passed else "✗"


def judge_source(task: Task, source: str) -> Verdict:
    """Judges an answer cell by its text: runs it in an empty namespace, then checks what it defined."""
    namespace: dict[str, Any] = {"__name__": f"task_{task.id}"}
    try:
        _limited(lambda: exec(compile(source, f"task {task.id}", "exec"), namespace), task.seconds)  # noqa: S102
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever a learner's cell raises is told to the learner
        return _told(task, error, "the cell itself ends with")
    return judge(task, namespace)


def judge(task: Task, namespace: dict[str, Any]) -> Verdict:
    """Judges what a namespace holds under the task's names."""
    missing = [name for name in task.names if name not in namespace]
    if missing:
        return Verdict(task, False, f"`{missing[0]}` is not there: run the cell of task {task.id} that defines it")
    answer = task.objects(namespace)
    if any(part is ... for part in answer):
        return _unwritten(task)
    try:
        said = _limited(lambda: _run(task, answer), task.seconds)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - as above
        return _told(task, error, "your code raised")
    return Verdict(task, True, said or task.title)


def _run(task: Task, answer: list[Any]) -> Any:
    result = task.check(*answer)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def _limited(work: Callable[[], Any], seconds: float) -> Any:
    """Runs `work` in a thread of its own: it may use an event loop, and an endless loop does not hang the notebook."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - raised again below, in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Wrong(f"not done after {seconds:g} s: does something wait for ever?")
    if errors:
        raise errors[0]
    return results[0]


def _told(task: Task, error: BaseException, how: str) -> Verdict:
    if isinstance(error, NotImplementedError):
        return _unwritten(task)
    if isinstance(error, Wrong):
        return Verdict(task, False, str(error))
    if isinstance(error, NotRun):
        return Verdict(task, False, f"not run ({error})", needs=error.need)
    trace = "".join(traceback.format_exception(error))
    if "'coroutine' object" in str(error):
        how = f"an `await` is missing: {how}"
    return Verdict(task, False, f"{how} {type(error).__name__}: {error}", trace)


def _unwritten(task: Task) -> Verdict:
    return Verdict(task, False, f'not written yet: fill the hole in its cell; hint("{task.id}") helps')
