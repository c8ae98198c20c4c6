"""How a lesson speaks in a notebook: a mark and a message first, tracebacks folded."""

import html
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from workbook.lesson.judge import Verdict

_COLOURS = {"✓": "#16a34a", "✗": "#dc2626", "○": "#d97706", "→": "#2563eb"}
_ABOVE = (
    "After a restart of the kernel, run what stands above first: menu Run, Run All Above Selected Cell. "
    "Else look for a slip in the name."
)


class Said:
    """A message with a mark. In a notebook a coloured line with details to unfold, elsewhere plain text."""

    def __init__(self, mark: str, text: str, details: str = "") -> None:
        self._mark = mark
        self._text = text
        self._details = details

    def __repr__(self) -> str:
        return f"{self._mark} {self._text}"

    def _repr_html_(self) -> str:
        text = html.escape(self._text).replace("\n", "<br>")
        more = f"<details><summary>details</summary><pre>{html.escape(self._details)}</pre></details>"
        return (
            f'<div style="border-left:4px solid {_COLOURS[self._mark]};padding:.3em .8em">'
            f"<b>{self._mark}</b> {text}{more if self._details else ''}</div>"
        )


def say(mark: str, text: str, details: str = "") -> None:
    if get_ipython() is None:
        print(f"{mark} {text}")
        if details:
            print(details)
    else:
        display(Said(mark, text, details))


def say_verdict(verdict: Verdict) -> None:
    say(verdict.mark, f"{verdict.task.id} {verdict.message}", verdict.trace)


def fold_tracebacks() -> None:
    """Makes an unsolved hole, and a name that a task still has to define, say so in a line instead of a traceback."""
    from workbook.tasks import tasks  # noqa: PLC0415 - tasks import the stack, which takes a moment

    shell = get_ipython()
    if shell is None:
        return
    owners = {name: task.id for task in tasks().values() for name in task.names}

    def tell(
        shell: Any, kind: type[BaseException], error: BaseException, trace: Any, tb_offset: int | None = None
    ) -> Any:
        name = getattr(error, "name", None)
        if isinstance(error, NameError) and name not in owners:
            display(Said("○", f"`{name}` is not there. {_ABOVE}"))
            return shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        text = f"`{name}` comes from task {owners[name]}: write it, run its cell" if name in owners else str(error)
        lines: list[str] = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
        display(Said("○", text))
        return lines

    shell.set_custom_exc((NotImplementedError, NameError), tell)
