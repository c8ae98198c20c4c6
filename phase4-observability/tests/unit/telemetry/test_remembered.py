"""Figures that cost something are read now and then, and never told once they cannot be read."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

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
        self.takes = 0.0

    async def read(self) -> Sequence[Metric]:
        self.times += 1
        await asyncio.sleep(self.takes)
        if self.problem is not None:
            raise self.problem
        return [gauge("times", "read", {"": self.times})]


async def test_however_many_ask_it_is_read_once() -> None:
    costly = Costly()
    remembered = Remembered(costly.read, every=3600)
    told = await asyncio.gather(*(remembered.figures() for _ in range(20)))
    assert costly.times == 1
    assert {figures[0].samples[0].value for figures in told} == {1}


async def test_a_reading_that_outlasts_a_scrape_is_told_at_the_next_one() -> None:
    costly = Costly()
    costly.takes = 0.2
    remembered = Remembered(costly.read, every=3600)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(remembered.figures(), 0.01)
    (figures,) = await remembered.figures()
    assert (costly.times, figures.samples[0].value) == (1, 1)


async def test_what_fails_rests_as_well() -> None:
    """Else a table too long to be read in time would be read at each scrape."""
    costly = Costly()
    costly.problem = Unavailable("takes too long")
    remembered = Remembered(costly.read, every=3600)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await remembered.figures()
    assert costly.times == 1


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
    await _read_again(costly, remembered)
    with pytest.raises(Unavailable):
        await remembered.figures()
    costly.problem = None
    await _read_again(costly, remembered)
    await remembered.figures()


async def _read_again(costly: Costly, remembered: Remembered) -> None:
    before = costly.times
    while costly.times == before:  # it rests for as long as the reading took, and more
        with suppress(Unavailable):
            await remembered.figures()
        await asyncio.sleep(0)
