"""A picture that grows while something happens: numbers over time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

from IPython.display import DisplayHandle

from workbook.pictures import ledger_image

GLANCE = 0.05  # seconds between two readings
_REDRAW = 0.7


class GrowingPicture:
    """Draws, inside its block, the numbers that `read` gives, by name; it must give the same names each time."""

    def __init__(self, read: Callable[[], Mapping[str, float]]) -> None:
        self._read = read
        self._at: list[float] = []
        self._lines: dict[str, list[float]] = {}
        self._picture: Any = DisplayHandle()  # type: ignore[no-untyped-call]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._began = time.monotonic()
        self._glance()
        self._picture.display(self._image())
        self._tasks = [asyncio.create_task(self._look()), asyncio.create_task(self._redraw())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._glance()
        self._picture.update(self._image())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(GLANCE)
            self._glance()

    async def _redraw(self) -> None:
        while True:
            await asyncio.sleep(_REDRAW)
            self._picture.update(await asyncio.to_thread(self._image))

    def _glance(self) -> None:
        self._at.append(time.monotonic() - self._began)
        for name, value in self._read().items():
            self._lines.setdefault(name, []).append(value)

    def _image(self) -> Any:
        count = min(map(len, self._lines.values()))  # it may grow while it is drawn
        return ledger_image({name: values[:count] for name, values in self._lines.items()}, self._at[:count])
