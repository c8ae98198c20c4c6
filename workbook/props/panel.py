"""Buttons on real processes: kill, pause, resume and start the parts of a stack, and slow the network between two."""

import asyncio
import os
from contextlib import suppress
from typing import Any, Self

import ipywidgets as widgets
from IPython.display import display

from workbook.part import State
from workbook.props.line import Line
from workbook.stack import LocalStack

ACTIONS = ("kill", "pause", "resume", "start")
_LIGHTS = {State.RUNNING: "🟢", State.PAUSED: "🟠", State.STOPPED: "🔴"}


class Panel:
    """A row of buttons for each part. `press` does what a button does, for those who write instead of clicking."""

    def __init__(self, stack: LocalStack, *names: str, line: Line | None = None) -> None:
        self._stack = stack
        self._line = line
        self._lights = {name: widgets.Label(layout=widgets.Layout(width="13em")) for name in names}
        rows = [self._row(name) for name in names]
        self._delay = widgets.IntSlider(0, 0, 500, 50, continuous_update=False)
        self._delay.observe(lambda change: self.slow(change["new"] / 1000), "value")
        slow = widgets.HBox([widgets.Label("network, ms late", layout=widgets.Layout(width="13em")), self._delay])
        self._box = widgets.VBox([*rows, *([slow] if line else [])])
        self._watching: asyncio.Task[None] | None = None

    @property
    def has_buttons(self) -> bool:
        """Whether somebody may be there to press them: JupyterLab and VS Code tell their kernels, a build does not."""
        return not {"JPY_SESSION_NAME", "VSCODE_PID"}.isdisjoint(os.environ)

    def show(self) -> Self:
        """Shows the buttons; the lights follow the parts for as long as the kernel lives."""
        self._watching = asyncio.create_task(self._watch())
        display(self._box)  # type: ignore[no-untyped-call]
        return self

    async def press(self, name: str, action: str) -> None:
        """Kills, pauses, resumes or starts a part, and returns when that is done."""
        if action not in ACTIONS:
            raise ValueError(f"no action {action!r}; there is {', '.join(ACTIONS)}")
        await asyncio.to_thread(getattr(self._stack[name], action))
        self._light()

    def slow(self, seconds: float) -> None:
        """Makes each piece on the line that much late."""
        if self._line is not None:
            self._line.delay = seconds

    def _row(self, name: str) -> Any:
        buttons = [widgets.Button(description=action, layout=widgets.Layout(width="6em")) for action in ACTIONS]
        for button, action in zip(buttons, ACTIONS, strict=True):
            button.on_click(lambda _, action=action: asyncio.ensure_future(self.press(name, action)))
        return widgets.HBox([self._lights[name], *buttons])

    async def _watch(self) -> None:
        while True:
            self._light()
            await asyncio.sleep(0.3)

    def _light(self) -> None:
        for name, label in self._lights.items():
            label.value = f"{_LIGHTS[self._stack[name].state]} {name}"

    def close(self) -> None:
        """Takes the buttons away."""
        if self._watching is not None:
            self._watching.cancel()
        with suppress(Exception):  # a front end without widgets has nothing to close
            self._box.close()
