"""A page of figures comes in time, and whole but for what cannot be read now."""

import asyncio
import time
import urllib.request
from collections.abc import Sequence

from messaging.exposition import Figures, exposed, gauge
from prometheus_client.metrics_core import Metric
from structlog.testing import capture_logs

SCRAPE_TIMEOUT = 1  # seconds, of the local stack's Prometheus


async def quick() -> Sequence[Metric]:
    return [gauge("there", "It is", {"": 1})]


async def slow() -> Sequence[Metric]:
    await asyncio.sleep(60)
    return []


async def stubborn() -> Sequence[Metric]:
    """As a driver does that tells a paused database of the end: it takes its time even then."""
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(2)
    return []


async def without_its_table() -> Sequence[Metric]:
    raise LookupError('relation "outbox" does not exist')


async def page(*sources: Figures) -> tuple[str, float]:
    """What a scrape gets, and how many seconds that takes."""
    async with exposed("127.0.0.1", 0, *sources) as port:
        began = time.monotonic()
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read())
        return text.decode(), time.monotonic() - began


async def test_however_many_sources_are_away_the_page_comes_before_prometheus_hangs_up() -> None:
    with capture_logs() as logged:
        text, took = await page(slow, stubborn, slow, quick, slow)
    assert "there 1.0" in text
    assert took < SCRAPE_TIMEOUT
    assert [line["event"] for line in logged] == ["figures left out"] * 4


async def test_whatever_is_wrong_with_a_source_the_others_are_told() -> None:
    with capture_logs() as logged:
        text, _ = await page(without_its_table, quick)
    assert "there 1.0" in text
    assert [line["error"] for line in logged] == ['LookupError: relation "outbox" does not exist']
