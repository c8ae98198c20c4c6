"""Figures that cost something are read now and then, and never told once they cannot be read."""

import asyncio
from collections.abc import Sequence

import pytest
from chassis.errors import Unavailable
from messaging.exposition import gauge
from prometheus_client.metrics_core import Metric
from telemetry.remembered import Remembered


class Costly:
    """Counts how often it was read; `problem` is raised instead."""

    def __init__(self) -> None:
        self.times = 0
        self.problem: Exception | None = None

    async def read(self) -> Sequence[Metric]:
        self.times += 1
        await asyncio.sleep(0)
        if self.problem is not None:
            raise self.problem
        return [gauge("times", "read", {"": self.times})]


async def test_however_many_ask_it_is_read_once() -> None:
    costly = Costly()
    remembered = Remembered(costly.read, every=3600)
    told = await asyncio.gather(*(remembered.figures() for _ in range(20)))
    assert costly.times == 1
    assert {figures[0].samples[0].value for figures in told} == {1}


async def test_it_is_read_again_after_a_while() -> None:
    costly = Costly()
    remembered = Remembered(costly.read, every=0)
    while costly.times < 3:
        await remembered.figures()


async def test_what_cannot_be_read_is_not_told_from_memory() -> None:
    costly = Costly()
    remembered = Remembered(costly.read, every=0)
    await remembered.figures()
    costly.problem = Unavailable("away")
    with pytest.raises(Unavailable):
        await _read_again(costly, remembered)
    costly.problem = None
    await _read_again(costly, remembered)


async def _read_again(costly: Costly, remembered: Remembered) -> None:
    before = costly.times
    while costly.times == before:  # it rests for as long as the reading took, and more
        await remembered.figures()
