"""`docs/recall.md`: the questions at the end of each lesson, with their answers, from the lessons themselves.

In a lesson a question is `<details><summary>1. The question?</summary>`, an empty line, its answer, `</details>`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workbook.lesson.sections import title
from workbook.lesson.source import Lesson, WrongSource

_QUESTION = re.compile(
    r"^<details><summary>(?P<number>\d+)\. (?P<question>[^\n]+)</summary>\n\n(?P<answer>.+?)\n</details>$",
    re.MULTILINE | re.DOTALL,
)
_HEAD = """# Recall: questions and answers
Made by `./learn build` from the ends of the lessons: change those, not this page. There the answers are folded;
here they are open, for whoever asks the class. [For instructors](instructors.md) says when to ask.
"""


@dataclass(frozen=True)
class Question:
    text: str
    answer: str


def recall(lessons: Sequence[Lesson]) -> str:
    """The whole page: each lesson that asks questions, with its questions and answers."""
    asking = [(lesson, questions(lesson)) for lesson in lessons]
    return "\n".join([_HEAD, *(_lesson(lesson, asked) for lesson, asked in asking if asked)])


def questions(lesson: Lesson) -> list[Question]:
    """Its questions in order; raises WrongSource for one that is written differently, or has a wrong number."""
    text = "\n".join(cell.text for cell in lesson.cells if cell.kind == "markdown")
    found = list(_QUESTION.finditer(text))
    if len(found) != text.count("<details>"):
        raise WrongSource(f"{lesson.name}: of {text.count('<details>')} folds, {len(found)} are questions with answers")
    numbers = [int(question["number"]) for question in found]
    if numbers != list(range(1, len(found) + 1)):
        raise WrongSource(f"{lesson.name}: its questions are numbered {numbers}")
    return [Question(_plain(question["question"]), _plain(question["answer"])) for question in found]


def _lesson(lesson: Lesson, asked: Sequence[Question]) -> str:
    said = [f"**{number}. {one.text}**\n\n{one.answer}\n" for number, one in enumerate(asked, 1)]
    return "\n".join([f"## {title(lesson)}\n", *said])


def _plain(text: str) -> str:
    return re.sub(r"</?code>", "`", text)
