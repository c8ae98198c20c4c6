"""Many callers at once on a small connection pool, watched from outside."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from psycopg_pool import AsyncConnectionPool, PoolTimeout

Reserve = Callable[[], Awaitable[object]]
Book = Callable[[AsyncConnectionPool[Any], uuid.UUID, Reserve], Awaitable[object]]

CALLERS = 80
CALL = 0.05  # seconds that the other service takes
_GLANCE = 0.005  # seconds between two looks at the pool


@dataclass
class Rush:
    """What was seen: seconds that each served caller took, how many were refused; the pool over time (milliseconds)."""

    took: list[float] = field(default_factory=list)
    refused: int = 0
    pool: dict[str, list[float]] = field(default_factory=lambda: {"callers waiting": [], "free connections": []})
    at: list[float] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """Milliseconds."""
        return 1000 * max(self.took)


async def rush(pool: AsyncConnectionPool[Any], book: Book) -> Rush:
    """80 callers run `book` at once; its call to another service takes 50 ms."""
    seen = Rush()
    watching = asyncio.create_task(_watch(pool, seen))
    try:
        await asyncio.gather(*(_call(pool, book, seen) for _ in range(CALLERS)))
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    return seen


async def _call(pool: AsyncConnectionPool[Any], book: Book, seen: Rush) -> None:
    began = time.perf_counter()
    try:
        await book(pool, uuid.uuid4(), lambda: asyncio.sleep(CALL))
    except PoolTimeout:
        seen.refused += 1
    else:
        seen.took.append(time.perf_counter() - began)


async def _watch(pool: AsyncConnectionPool[Any], seen: Rush) -> None:
    began = time.perf_counter()
    while True:
        stats = pool.get_stats()
        seen.pool["callers waiting"].append(stats.get("requests_waiting", 0))
        seen.pool["free connections"].append(stats.get("pool_available", 0))
        seen.at.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(_GLANCE)
