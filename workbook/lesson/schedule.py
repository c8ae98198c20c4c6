"""`docs/schedule.md`: for instructors, each lesson by the minute, from its own headings."""

from collections.abc import Sequence

from workbook.lesson.sections import Section, meetings, sections, sections_before_the_break, title
from workbook.lesson.source import Lesson
from workbook.tasks import tasks

A_MEETING = 45  # minutes
_NEEDS_A_BREAK = 60  # minutes
_HEAD = f"""# Schedule
Made by `./learn build` from the headings of the lessons: change those, not this page. The minutes are the plan for
one who reads, predicts, runs and writes. [For instructors](instructors.md) says how a class uses them.

"Meetings" cuts each lesson into pieces of at most {A_MEETING} minutes, at ends of sections.
"""


def schedule(lessons: Sequence[Lesson]) -> str:
    """The whole page: a table of the lessons, then each lesson's sections."""
    return "\n".join([_HEAD, *_overview(lessons), *(line for lesson in lessons for line in _lesson(lesson))]) + "\n"


def _overview(lessons: Sequence[Lesson]) -> list[str]:
    head = ["| lesson | minutes | sections | predictions | tasks |", "|---|---|---|---|---|"]
    named = [f"| [{title(each)}](../notebooks/{each.name}.ipynb) | {_sums(sections(each))} |" for each in lessons]
    return [*head, *named, f"| all | {_sums([section for each in lessons for section in sections(each)])} |"]


def _sums(some: Sequence[Section]) -> str:
    predictions = sum(section.predictions for section in some)
    return f"{_minutes(some)} | {len(some)} | {predictions} | {sum(len(section.tasks) for section in some)}"


def _lesson(lesson: Lesson) -> list[str]:
    parts = sections(lesson)
    before = sections_before_the_break(lesson) if _minutes(parts) > _NEEDS_A_BREAK else len(parts)
    rows = [_row(part, _minutes(parts[:index])) for index, part in enumerate(parts)]
    if before < len(parts):
        rows.insert(before, f"| {_clock(_minutes(parts[:before]))} | **break** | | | |")
    table = ["| from | section | minutes | predictions | tasks |", "|---|---|---|---|---|", *rows]
    return ["", f"## {title(lesson)}", *table, f"| {_clock(_minutes(parts))} | end | | | |", *_pieces(parts)]


def _row(section: Section, begins: int) -> str:
    written = "; ".join(f"{task} {tasks()[task].title}" for task in section.tasks)
    return f"| {_clock(begins)} | {section.title} | {section.minutes} | {section.predictions or ''} | {written} |"


def _pieces(parts: Sequence[Section]) -> list[str]:
    found = meetings(parts, A_MEETING)
    if len(found) == 1:
        return []
    said = [f"{_between(piece)} ({_minutes([parts[index] for index in piece])} min)" for piece in found]
    return ["", f"Meetings: sections {', '.join(said)}."]


def _between(piece: range) -> str:
    return str(piece[0] + 1) if len(piece) == 1 else f"{piece[0] + 1}–{piece[-1] + 1}"  # noqa: RUF001 - a range of numbers


def _minutes(some: Sequence[Section]) -> int:
    return sum(section.minutes for section in some)


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
