"""Figures that cost the database something: asked for now and then, whoever scrapes however often."""

import asyncio
from collections.abc import Sequence

from messaging.exposition import Figures
from prometheus_client.metrics_core import Metric

_REST = 9  # times as long as the reading took: it may keep the database busy for a tenth of the time


class Remembered:
    """Reads the figures when the last ones are older than `every` seconds, or longer ago if reading takes its time."""

    def __init__(self, read: Figures, every: float) -> None:
        self._read = read
        self._every = every
        self._again_at = 0.0
        self._reading: asyncio.Task[Sequence[Metric]] | None = None

    async def figures(self) -> Sequence[Metric]:
        """Raises what reading raises: figures that cannot be read are not told from memory."""
        if self._reading is None or (self._reading.done() and _now() >= self._again_at):
            self._reading = asyncio.create_task(self._read_once())
        # A scrape that is over does not end the reading: the next one gets what it finds.
        return await asyncio.shield(self._reading)

    async def _read_once(self) -> Sequence[Metric]:
        began = _now()
        try:
            return await self._read()
        finally:
            self._again_at = _now() + max(self._every, _REST * (_now() - began))


def _now() -> float:
    return asyncio.get_running_loop().time()
