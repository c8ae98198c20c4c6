"""What a task of a lesson is: what to write, how it is checked, which mistakes people make."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


class Wrong(Exception):
    """An answer is not right; the text says what was seen, what was expected, and where to look."""


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A misconception people really have: `code` instead of the solution must make the check say `says`."""

    name: str
    code: str
    says: str


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `check` gets the objects called `names`, raises `Wrong`, and may return a line to show after the ✓."""

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
