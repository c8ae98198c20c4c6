"""A task whose check needs what a machine has not: it says so, and is neither passed nor failed."""

import json
from pathlib import Path

import pytest

from workbook import needs
from workbook.lesson import progress
from workbook.lesson.judge import Verdict, judge
from workbook.lesson.speech import say_verdict
from workbook.lesson.task import Task, Wrong, wants
from workbook.needs import Need


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setitem(needs.NEEDS, "full-moon", Need("the moon", "wait for the night", lambda: False))
    needs.missing.cache_clear()


def test_what_cannot_be_checked_here_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = judged("night")
    assert (verdict.passed, verdict.needs) == (False, "full-moon")
    say_verdict(verdict)
    assert capsys.readouterr().out == "○ 9.9 not run (needs the moon: wait for the night)\n"


def test_what_can_be_checked_without_it_is_checked() -> None:
    verdict = judged("day")
    assert (verdict.mark, verdict.needs) == ("✗", "")


def test_progress_keeps_what_it_knew(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text(json.dumps({"passed": ["9.9"]}))
    progress.record(judged("night"))
    assert progress.read()["passed"] == ["9.9"]
    progress.record(judged("day"))
    assert progress.read()["passed"] == []


def judged(answer: str) -> Verdict:
    return judge(Task("9.9", "", ("answer",), ("", "", ""), _check, ()), {"answer": answer})


def _check(answer: str) -> None:
    if answer != "night":
        raise Wrong("it is dark in the night")
    wants("full-moon")
