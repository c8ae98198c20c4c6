"""Limits on calls at once: what cannot be done in time is refused at once, and health checks still pass."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc_health.v1 import health_pb2

from chassis.errors import ResourceExhausted
from chassis.interceptor import Around, Call

_HEALTH = f"/{health_pb2.DESCRIPTOR.services_by_name['Health'].full_name}/"


class TooManyCalls(ResourceExhausted):
    reason = "TOO_MANY_CALLS"


class TooManyStreams(ResourceExhausted):
    reason = "TOO_MANY_STREAMS"


class CallsAtOnce(Around):
    """Refuses a unary call while `calls` others are being handled, a stream while `streams` others are open.

    Two counts, for a stream may stay as long as its caller wants: whoever only looks on must not keep out who buys.
    Health checks are neither refused nor counted.
    """

    def __init__(self, calls: int, streams: int) -> None:
        self._calls = calls
        self._streams = streams
        self._running: Counter[bool] = Counter()  # by whether they are streams

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        if call.method.startswith(_HEALTH):
            yield
            return
        self._admit(call)
        self._running[call.streams] += 1
        try:
            yield
        finally:
            self._running[call.streams] -= 1

    def _admit(self, call: Call) -> None:
        if call.streams and self._running[True] >= self._streams:
            raise TooManyStreams(f"{self._streams:,} streams are open; try again later")
        if not call.streams and self._running[False] >= self._calls:
            raise TooManyCalls(f"{self._calls:,} calls are being handled; try again later")
