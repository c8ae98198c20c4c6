"""A lesson's authored source: solved, in percent format, with marks. solutions/README.md explains the marks."""

import ast
import hashlib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from workbook.phases import ROOT

FOLDER = ROOT / "solutions"
NEXT = "### NEXT\n"
_REGION = re.compile(
    r"^(?P<indent> *)### BEGIN SOLUTION (?P<task>[\d.]+)\n(?P<body>.*?)^ *### END SOLUTION$\n?",
    re.MULTILINE | re.DOTALL,
)
_INCLUDE = re.compile(r"^(?P<indent> *)### INCLUDE (?P<path>\S+)::(?P<name>\S+)$", re.MULTILINE)
_CHOICE = re.compile(r'choice="[a-z]"')


class WrongSource(Exception):
    """The authored source breaks one of its own rules; the text names the place."""


@dataclass(frozen=True)
class Cell:
    """One cell as authored. `number` makes the ids of cells with the same text differ."""

    kind: str
    text: str
    tags: tuple[str, ...]
    number: int = 0

    @cached_property
    def id(self) -> str:
        digest = hashlib.sha256(f"{self.kind}\0{self.text}\0{self.number}".encode()).hexdigest()
        return digest[:16]

    @property
    def task(self) -> str | None:
        """The id of the task whose answer this cell holds."""
        found = _REGION.search(self.text)
        return found["task"] if found else None

    @property
    def predictions(self) -> int:
        """How many predictions it asks for."""
        return len(_CHOICE.findall(self.text))

    @cached_property
    def expanded(self) -> str:
        """The text with each INCLUDE line replaced by the code it names."""
        return _INCLUDE.sub(lambda found: included(found["path"], found["name"], found["indent"]), self.text)

    @property
    def solved(self) -> str:
        """The text with its solution, without the marks."""
        return _REGION.sub(lambda found: found["body"], self.expanded).rstrip("\n")

    @property
    def solutions(self) -> list[str]:
        """What stands in each of its holes."""
        return [found["body"] for found in _REGION.finditer(self.expanded)]

    @property
    def solution(self) -> str:
        return "\n".join(self.solutions)

    @property
    def unsolved(self) -> str:
        """The text as the learner gets it: a hole for the solution, a question for the choice."""
        holed = _REGION.sub(lambda found: _hole(found["indent"], found["task"], found["body"]), self.expanded)
        return _CHOICE.sub("choice=...", holed).rstrip("\n")

    def answered(self, code: str) -> str:
        """The text with another answer in place of the solution; of several holes, with NEXT between the answers."""
        parts = iter(code.split(NEXT))
        return _REGION.sub(lambda _: next(parts).rstrip("\n") + "\n", self.expanded).rstrip("\n")


@dataclass(frozen=True)
class Lesson:
    name: str
    cells: tuple[Cell, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The lesson in a percent-format file; raises WrongSource."""
        import jupytext  # noqa: PLC0415 - it takes a second to import, and most notebooks never ask

        notebook = jupytext.reads(path.read_text(), fmt="py:percent")
        seen: dict[tuple[str, str], int] = {}
        cells = []
        for cell in notebook.cells:
            number = seen[cell.cell_type, cell.source] = seen.get((cell.cell_type, cell.source), -1) + 1
            cells.append(Cell(cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ())), number))
        return cls(path.stem, tuple(cells))

    def answers(self) -> Iterator[tuple[str, Cell]]:
        """Each task's id and the cell that holds its answer."""
        return ((cell.task, cell) for cell in self.cells if cell.task)


def lessons() -> list[Lesson]:
    """All lessons, in reading order."""
    paths = sorted(FOLDER.glob("*.py"), key=lambda path: (path.stem != "start_here", path.stem))
    return [Lesson.read(path) for path in paths]


def answer_cell(task: str) -> tuple[Lesson, Cell]:
    for lesson in lessons():
        for found, cell in lesson.answers():
            if found == task:
                return lesson, cell
    raise WrongSource(f"no lesson has an answer cell for task {task}")


def included(path: str, name: str, indent: str) -> str:
    """A function's body, or a whole assignment, from a file of this repository, indented as its INCLUDE line."""
    text = (ROOT / path).read_text()
    node = _find(ast.parse(text), name)
    if node is None:
        raise WrongSource(f"{path} has no {name}")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        first, *rest = node.body
        body = rest if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and rest else node.body
        lines = text.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    else:
        lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    return textwrap.indent(textwrap.dedent("\n".join(lines)), indent)


def _find(tree: ast.AST, name: str) -> ast.stmt | None:
    head, _, rest = name.partition(".")
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt) and head in _names(node):
            return _find(node, rest) if rest else node
    return None


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _hole(indent: str, task: str, body: str) -> str:
    if indent:
        return f"{indent}raise NotImplementedError('task {task} is not written yet: hint(\"{task}\") helps')\n"
    names = [name for node in ast.parse(body).body for name in _names(node)]
    if not names:
        raise WrongSource(f"the solution of task {task} stands at top level and is no assignment")
    return "".join(f'{name} = ...  # task {task}: hint("{task}") helps\n' for name in names)
