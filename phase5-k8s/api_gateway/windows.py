"""Counting against a limit in a sliding window: in this process, or in a Redis that all replicas share."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, Self

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

_AT_ONCE = 16  # requests of a process: a crowd that all opened connections at once would wait too long for them
_ROUNDED = 1e-6  # of a request: floats are never quite there
_PAUSE = 1.0  # seconds until it is asked again after it did not

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `amount` requests of one key in `seconds`; `name` stands in the headers."""

    name: str
    amount: int
    seconds: int

    @classmethod
    def of(cls, name: str, rate: str) -> "Policy":
        item = parse(rate)
        return cls(name, item.amount, item.get_expiry())


@dataclass(frozen=True, slots=True)
class Taken:
    """How it went: what is left after it, and in how many seconds there is more."""

    policy: Policy
    allowed: bool
    remaining: int
    more_in: int


class Windows(Protocol):
    async def take(self, policy: Policy, key: str) -> Taken:
        """Counts one request of a key, if it is within the limit."""
        ...


@dataclass(slots=True)
class _Counts:
    """Of one policy: the window that runs, and the one before it, by key."""

    number: int = 0
    now: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)

    def move_to(self, number: int) -> None:
        if number != self.number:
            self.before = self.now if number == self.number + 1 else {}
            self.now, self.number = {}, number


class OwnWindows:
    """Two dictionaries a policy, and each step costs the same however many keys there are.

    The library's own memory looks through all keys at each step: 5 ms with 10,000 of them, which is an attack.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[Policy, _Counts] = {}

    async def take(self, policy: Policy, key: str) -> Taken:
        number, into = divmod(self._clock() / policy.seconds, 1)
        counts = self._counts.setdefault(policy, _Counts())
        counts.move_to(int(number))
        now, before = counts.now.get(key, 0), counts.before.get(key, 0)
        left = policy.amount - now - before * (1 - into) + _ROUNDED
        if left < 1:
            return Taken(policy, False, 0, _whole(policy.seconds * _until_one_fits(policy.amount, now, before, into)))
        counts.now[key] = now + 1
        return Taken(policy, True, math.floor(left) - 1, _whole(policy.seconds * (1 - into)))


def _until_one_fits(amount: int, now: int, before: int, into: float) -> float:
    """In windows: as the window moves on, what was counted in the one before fades."""
    if now < amount:
        return 1 - (amount - now - 1) / before - into
    return 1 - into + 1 - (amount - 1) / now


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))


class SharedWindows:
    """Counts in Redis. While that does not answer, each process counts for itself: better too much than nothing.

    Used as `async with`, which closes its connections. `patience` is in seconds, for a request's turn and the answers
    of Redis: it is asked before everything else.
    """

    def __init__(self, url: str, alone: Windows, patience: float = 0.1) -> None:
        self._pool = ConnectionPool.from_url(url, socket_timeout=patience, socket_connect_timeout=patience)
        self._counter = SlidingWindowCounterRateLimiter(
            RedisStorage(
                f"async+{url}",
                implementation="redispy",
                wrap_exceptions=True,
                connection_pool=self._pool,  # type: ignore[arg-type]  # documented, and missing in its type
            )
        )
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._items: dict[Policy, RateLimitItem] = {}
        self._alone = alone
        self._patience = patience
        self._asked_again_at = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.aclose()

    async def take(self, policy: Policy, key: str) -> Taken:
        return await self._shared(policy, key) or await self._alone.take(policy, key)

    async def _shared(self, policy: Policy, key: str) -> Taken | None:
        """None while Redis does not answer, also for those who waited for their turn meanwhile."""
        try:
            async with asyncio.timeout(self._patience), self._turns:
                return await self._counted(policy, key) if time.monotonic() >= self._asked_again_at else None
        except (StorageError, OSError, TimeoutError) as error:
            if time.monotonic() >= self._asked_again_at:  # of all that were under way, one says so
                log.warning("limits are counted by each process: Redis does not answer", error=type(error).__name__)
            self._asked_again_at = time.monotonic() + _PAUSE
            return None

    async def _counted(self, policy: Policy, key: str) -> Taken:
        item = self._items.get(policy)
        if item is None:
            item = self._items[policy] = parse(f"{policy.amount} per {policy.seconds} second")
        allowed = await self._counter.hit(item, policy.name, key)
        stats = await self._counter.get_window_stats(item, policy.name, key)
        return Taken(policy, allowed, max(0, int(stats.remaining)), _whole(stats.reset_time - time.time()))
