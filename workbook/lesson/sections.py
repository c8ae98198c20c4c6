"""A lesson in sections, as its headings divide it: what takes how long, and what is predicted and written there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from workbook.lesson.source import Cell, Lesson, WrongSource

_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_TIMED = re.compile(r"(?P<title>.+) \((?P<minutes>\d+) min\)")
_BREAK = re.compile(r"section\s+(?P<number>\d+)\s+(?:ends\s+at\s+half-time|(?P<after>begins\s+the\s+second\s+half))")


@dataclass(frozen=True)
class Section:
    title: str
    minutes: int
    cells: tuple[Cell, ...]

    @property
    def tasks(self) -> list[str]:
        return [cell.task for cell in self.cells if cell.task]

    @property
    def predictions(self) -> int:
        return sum(cell.predictions for cell in self.cells)


def title(lesson: Lesson) -> str:
    """Its first heading; raises WrongSource where it has none."""
    found = _TITLE.search(lesson.cells[0].text) if lesson.cells else None
    if found is None:
        raise WrongSource(f"{lesson.name} does not begin with a title")
    return found[1]


def sections(lesson: Lesson) -> list[Section]:
    """Its sections in order; raises WrongSource for one that does not say how many minutes it takes."""
    begun: list[tuple[re.Match[str], list[Cell]]] = []
    for cell in lesson.cells:
        begun += [(heading, []) for heading in _headings(lesson, cell)]
        if begun:
            begun[-1][1].append(cell)
    return [Section(heading["title"], int(heading["minutes"]), tuple(cells)) for heading, cells in begun]


def sections_before_the_break(lesson: Lesson) -> int:
    """How many sections come before the break: as the lesson says, else as many as come nearest to half its time."""
    said = _BREAK.search(lesson.cells[0].text)
    if said:
        return int(said["number"]) - (1 if said["after"] else 0)
    ends = list(accumulate(section.minutes for section in sections(lesson)))
    return 1 + min(range(len(ends)), key=lambda index: abs(ends[index] - ends[-1] / 2))


def meetings(all_sections: Sequence[Section], minutes: int) -> list[range]:
    """The sections of each meeting, by index, none of which is longer than `minutes`, unless one section alone is."""
    begun: list[list[int]] = []
    taken = 0
    for index, section in enumerate(all_sections):
        if not begun or taken + section.minutes > minutes:
            begun.append([])
            taken = 0
        begun[-1].append(index)
        taken += section.minutes
    return [range(meeting[0], meeting[-1] + 1) for meeting in begun]


def _headings(lesson: Lesson, cell: Cell) -> Iterator[re.Match[str]]:
    for heading in _HEADING.findall(cell.text) if cell.kind == "markdown" else ():
        timed = _TIMED.fullmatch(heading)
        if timed is None:
            raise WrongSource(f"{lesson.name}: the section {heading!r} does not say its minutes, such as (7 min)")
        yield timed
