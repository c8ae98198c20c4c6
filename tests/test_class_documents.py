"""What instructors read about the lessons is what the lessons say: minutes, tasks, questions and answers."""

import re
from pathlib import Path

import pytest

from workbook.lesson.build import documents, learners_notebook, main, written
from workbook.lesson.recall import questions, recall
from workbook.lesson.schedule import schedule
from workbook.lesson.sections import meetings, sections, sections_before_the_break
from workbook.lesson.source import Cell, Lesson, WrongSource, lessons
from workbook.phases import ROOT
from workbook.tasks import tasks

LESSONS = lessons()
PLACE = re.compile(r"lesson (\d), section (\d+)(?:, \"([^\"]+)\")?")
QUESTION = "<details><summary>{}. Which <code>key</code>?</summary>\n\nThe booking's id.\n</details>"


def lesson(*texts: str, first: str = "# A lesson") -> Lesson:
    """One of markdown cells, and of code in cells that begin with `predict` or `###`."""
    kinds = ["code" if text.startswith(("predict", "###")) else "markdown" for text in texts]
    cells = [Cell("markdown", first, ()), *(Cell(kind, text, ()) for kind, text in zip(kinds, texts, strict=True))]
    return Lesson("phase9_x", tuple(cells))


def test_the_committed_pages_are_what_the_lessons_give() -> None:
    stale = [path.name for path, text in documents().items() if path.read_text() != text]
    assert not stale, "run ./learn build"


def test_build_check_sees_a_page_that_is_stale_or_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LEARNERS", "DOCUMENTS"):
        monkeypatch.setattr(f"workbook.lesson.build.{name}", tmp_path)
    monkeypatch.setattr("workbook.lesson.build.ROOT", tmp_path.parent)
    for each in LESSONS:
        (tmp_path / f"{each.name}.ipynb").write_text(written(learners_notebook(each)))
    for path, text in documents().items():
        path.write_text(text)
    assert main(check=True) == 0
    (tmp_path / "schedule.md").write_text("# Schedule\n")
    (tmp_path / "recall.md").unlink()
    assert main(check=True) == 1
    told = capsys.readouterr().out
    assert "schedule.md is not what" in told
    assert "recall.md is not what" in told


def test_every_task_of_a_lesson_stands_in_a_section() -> None:
    placed = [task for each in LESSONS for section in sections(each) for task in section.tasks]
    assert placed == [task for each in LESSONS for task, _ in each.answers()]
    written = {task.partition(".")[0] for task in placed}  # a phase's tasks may be there before its lesson
    assert set(placed) == {task for task in tasks() if task.partition(".")[0] in written}


def places(text: str) -> dict[str, bool]:
    """The sections of lessons that a text names, and whether each is there, with what is named inside it."""
    known = {
        (each.name[len("phase")], number): "\n".join(cell.text for cell in section.cells)
        for each in LESSONS[1:]
        for number, section in enumerate(sections(each), 1)
    }
    return {found[0]: (found[3] or "## ") in known.get((found[1], int(found[2])), "") for found in PLACE.finditer(text)}


def test_what_the_guide_shows_of_lessons_is_there() -> None:
    named = places((ROOT / "docs" / "instructors.md").read_text())
    assert len(named) > 5
    assert [place for place, there in named.items() if not there] == []


@pytest.mark.parametrize(
    "wrong", ["lesson 2, section 99", "lesson 9, section 1", 'lesson 1, section 8, "What never was"']
)
def test_a_place_that_is_not_there_would_be_seen(wrong: str) -> None:
    assert places(f"see {wrong}; and lesson 1, section 8") == {wrong: False, "lesson 1, section 8": True}


@pytest.mark.parametrize("each", LESSONS[1:], ids=lambda each: each.name)
def test_every_lesson_asks_questions_and_takes_about_two_hours(each: Lesson) -> None:
    assert len(questions(each)) >= 8
    assert 100 <= sum(section.minutes for section in sections(each)) <= 125


def test_minutes_predictions_and_tasks_are_counted_where_they_stand() -> None:
    hole = "### BEGIN SOLUTION 1.1\nx = 1\n### END SOLUTION"
    first, second = sections(lesson("## 1. A (7 min)", 'predict("P9.1", choice="b")', "## 2. B (5 min)\nText", hole))
    assert (first.title, first.minutes, first.predictions, first.tasks) == ("1. A", 7, 1, [])
    assert (second.title, second.minutes, second.predictions, second.tasks) == ("2. B", 5, 0, ["1.1"])


def test_a_section_without_minutes_is_refused() -> None:
    with pytest.raises(WrongSource, match=r"'2\. B' does not say its minutes"):
        sections(lesson("## 1. A (7 min)", "## 2. B"))


@pytest.mark.parametrize(
    ("first", "before"),
    [
        ("# A lesson", 2),  # 30 of 50 minutes come nearest to half
        ("# A lesson\n\nsection 1 ends at half-time.", 1),
        ("# A lesson\n\nsection 2 begins the\nsecond half.", 1),
    ],
)
def test_the_break_is_where_the_lesson_says_or_nearest_to_half_its_time(first: str, before: int) -> None:
    parts = ("## 1. A (10 min)", "## 2. B (20 min)", "## 3. C (20 min)")
    assert sections_before_the_break(lesson(*parts, first=first)) == before


def test_meetings_are_no_longer_than_asked_and_leave_nothing_out() -> None:
    parts = sections(lesson(*(f"## {n}. A ({minutes} min)" for n, minutes in enumerate((20, 25, 1, 60, 5), 1))))
    assert meetings(parts, 45) == [range(2), range(2, 3), range(3, 4), range(4, 5)]


def test_the_schedule_shows_each_section_its_begin_and_the_break() -> None:
    page = schedule([lesson("## 1. A (40 min)", "## 2. B (35 min)")])
    assert "| [A lesson](../notebooks/phase9_x.ipynb) | 75 | 2 | 0 | 0 |" in page
    rows = [line for line in page.splitlines() if line.startswith(("| 0:", "| 1:"))]
    assert [row.split(" | ")[:2] for row in rows] == [
        ["| 0:00", "1. A"],
        ["| 0:40", "**break**"],
        ["| 0:40", "2. B"],
        ["| 1:15", "end"],
    ]
    assert "Meetings: sections 1 (40 min), 2 (35 min)." in page


def test_a_short_lesson_has_no_break() -> None:
    assert "break" not in schedule([lesson("## 1. A (20 min)", "## 2. B (20 min)")])


def test_questions_come_with_their_answers() -> None:
    page = recall([lesson(QUESTION.format(1)), Lesson("without", (Cell("markdown", "# Silent", ()),))])
    assert "## A lesson\n\n**1. Which `key`?**\n\nThe booking's id.\n" in page
    assert "Silent" not in page


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (QUESTION.format(2), r"numbered \[2\]"),
        (f"{QUESTION.format(1)}\n\n{QUESTION.format(1)}", r"numbered \[1, 1\]"),
        ("<details><summary>No number?</summary>\n\nNo.\n</details>", "of 1 folds, 0 are questions"),
        ("<details><summary>1. Not closed?</summary>\n\nNo.", "of 1 folds, 0 are questions"),
    ],
)
def test_a_question_that_would_be_lost_is_refused(text: str, says: str) -> None:
    with pytest.raises(WrongSource, match=says):
        questions(lesson(text))
