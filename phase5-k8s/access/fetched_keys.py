"""User-service's public keys, asked for when they are needed, and kept while it is away."""

import asyncio
import contextvars
import json
import time
from collections.abc import Awaitable, Callable

import structlog
from chassis.errors import Unavailable

from access.keys import KnownKeys, NoKeys, TrustedKey, user_keys

log = structlog.get_logger(__name__)


class KeysUnavailable(Unavailable):
    reason = "KEYS_UNAVAILABLE"


class FetchedKeys:
    """Asks with `ask`, which returns a JWK Set as JSON.

    For a key that is not known it asks again, but `pause` seconds after it asked last at the soonest: whoever makes up
    key ids makes us look them up, not ask. After `every` seconds it asks anew, beside the calls, so that a key that was
    taken back is forgotten; what cannot be had leaves the old keys in place.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[str]],
        *,
        every: float = 300,
        pause: float = 5,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._every, self._pause, self._now = every, pause, now
        self._known: KnownKeys | None = None
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> TrustedKey | None:
        """None for a key that user-service does not have; raises KeysUnavailable if it was never heard of."""
        found = await self._known.find(kid) if self._known else None
        if found is None:
            await self._asked_again()
            found = await self._known.find(kid) if self._known else None
        elif self._now() - self._asked_at > self._every:
            self._start()
        if self._known is None:
            raise KeysUnavailable("who is calling cannot be told now: the user service does not answer")
        return found

    async def _asked_again(self) -> None:
        if self._asking is None and self._now() - self._asked_at > self._pause:
            self._start()
        if self._asking is not None:
            await asyncio.shield(self._asking)  # others wait for it, too

    def _start(self) -> None:
        if self._asking is None:
            self._asked_at = self._now()
            # In a context of its own: the deadline and the trace of whoever comes first are not those of all.
            self._asking = asyncio.create_task(self._fetch(), context=contextvars.Context())

    async def _fetch(self) -> None:
        try:
            self._known = KnownKeys(user_keys(json.loads(await self._ask())))
        except (Unavailable, NoKeys, ValueError) as error:
            log.warning("keys not renewed", error=str(error))
        finally:
            self._asking = None


class AnyOf:
    """Looks in one place after the other."""

    def __init__(self, *places: KnownKeys | FetchedKeys) -> None:
        self._places = places

    async def find(self, kid: str) -> TrustedKey | None:
        for place in self._places:
            if found := await place.find(kid):
                return found
        return None
