"""How tests wait: they ask again and again until it is so. No test sleeps for a time it hopes is long enough."""

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 60.0  # seconds; far more than needed, only a failing test ever waits that long


def until(holds: Callable[[], object], patience: float = PATIENCE) -> None:
    """Returns once `holds()` is true; fails when it is still not after `patience` seconds."""
    give_up_at = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < give_up_at, f"not so after {patience:g} s"
        time.sleep(0.02)


async def until_async(holds: Callable[[], Awaitable[object]], patience: float = PATIENCE) -> None:
    """As `until`, for conditions that are asked with `await`."""
    give_up_at = time.monotonic() + patience
    while not await holds():
        assert time.monotonic() < give_up_at, f"not so after {patience:g} s"
        await asyncio.sleep(0.02)
