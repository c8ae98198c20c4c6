"""What a task of a lesson is: what to write, how it is checked, which mistakes people make."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from workbook.needs import missing


class Wrong(Exception):
    """An answer is not right; the text says what was seen, what was expected, and where to look."""


class NotRun(Exception):
    """What a check needs is not on this machine, so it says nothing about the answer: neither right nor wrong."""

    def __init__(self, need: str) -> None:
        super().__init__(missing(need))
        self.need = need


def wants(need: str) -> None:
    """Ends a check here where `need`, a name of workbook.needs, is not met; what was checked before it stands."""
    if missing(need):
        raise NotRun(need)


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A misconception people really have: `code` instead of the solution must make the check say `says`."""

    name: str
    code: str
    says: str


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `check` gets the objects called `names`, raises `Wrong`, and may return a line to show after the ✓.

    Where a machine lacks what it needs it raises `NotRun`, best through `wants`.
    """

    id: str
    title: str
    names: tuple[str, ...]
    hints: tuple[str, str, str]
    check: Callable[..., str | Awaitable[str | None] | None]
    wrong: tuple[WrongAnswer, ...]
    seconds: float = 10

    @property
    def order(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.id.split("."))

    def objects(self, namespace: dict[str, Any]) -> list[Any]:
        """What the answer cell defined, in the order in which the check takes it; raises KeyError for a missing one."""
        return [namespace[name] for name in self.names]
