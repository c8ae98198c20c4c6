"""The tasks of the lessons: an empty hole, each known wrong answer and the solution are judged as they should be."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from workbook.lesson.judge import Verdict, judge_source
from workbook.lesson.source import lessons
from workbook.lesson.task import Task, WrongAnswer
from workbook.needs import needs
from workbook.tasks import tasks

ANSWERS = {task: cell for lesson in lessons() for task, cell in lesson.answers()}
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
    verdict = judged(task, ANSWERS[task.id].solved)
    assert verdict.passed, f"{verdict.message}\n{verdict.trace}"


@pytest.mark.parametrize(("task", "answer"), WRONG, ids=[f"{task.id} {answer.name}" for task, answer in WRONG])
def test_a_known_wrong_answer_is_caught_by_name(task: Task, answer: WrongAnswer) -> None:
    verdict = judged(task, ANSWERS[task.id].answered(answer.code))
    assert not verdict.passed
    assert answer.says in verdict.message, verdict.message


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_a_task_is_well_made(task: Task) -> None:
    assert len(task.wrong) >= 2
    assert len(set(task.hints)) == 3
    solution = ANSWERS[task.id].solution.strip()
    assert not [hint for hint in task.hints if solution in hint]


def judged(task: Task, source: str) -> Verdict:
    """The verdict; without what the check needs the test is skipped, or fails where it has to be here."""
    verdict = judge_source(task, source)
    if verdict.needs:
        needs(verdict.needs)
    return verdict


def test_an_endless_answer_ends_with_a_message() -> None:
    endless = Task("9.9", "", ("loop",), ("", "", ""), lambda loop: loop(), (), seconds=0.2)
    verdict = judge_source(endless, "import time\ndef loop():\n    while True: time.sleep(0.01)\n")
    assert verdict.message == "not done after 0.2 s: does something wait for ever?"


def test_an_answer_that_cancels_is_told_what_it_did() -> None:
    async def check(call: Callable[[], Awaitable[None]]) -> None:
        await call()

    cancels = Task("9.9", "", ("call",), ("", "", ""), check, ())
    verdict = judge_source(cancels, "import asyncio\nasync def call(): raise asyncio.CancelledError\n")
    assert verdict.message.startswith("your code raised CancelledError")


def test_a_broken_answer_is_a_message_first_and_a_traceback_folded() -> None:
    verdict = judge_source(tasks()["0.1"], "def total(counts): return counts.sum()")
    assert verdict.message.startswith("your code raised AttributeError")
    assert "Traceback" not in verdict.message
    assert "Traceback" in verdict.trace
