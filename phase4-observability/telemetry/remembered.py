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
        self._found: Sequence[Metric] = ()
        self._reading = asyncio.Lock()

    async def figures(self) -> Sequence[Metric]:
        """Raises what reading raises: figures that cannot be read are not told from memory."""
        clock = asyncio.get_running_loop().time
        async with self._reading:
            if clock() >= self._again_at:
                began = clock()
                self._found = await self._read()
                took = clock() - began
                self._again_at = clock() + max(self._every, _REST * took)
            return self._found
