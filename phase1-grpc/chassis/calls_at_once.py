"""A limit on calls at once: what cannot be done in time is refused at once, and health checks still pass."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc_health.v1 import health_pb2

from chassis.errors import ResourceExhausted
from chassis.interceptor import Around, Call

_HEALTH = f"/{health_pb2.DESCRIPTOR.services_by_name['Health'].full_name}/"


class TooManyCalls(ResourceExhausted):
    reason = "TOO_MANY_CALLS"


class CallsAtOnce(Around):
    """Refuses a call while `most` others are being handled. Health checks are neither refused nor counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running = 0

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        if call.method.startswith(_HEALTH):
            yield
            return
        if self._running >= self._most:
            raise TooManyCalls(f"{self._most:,} calls are being handled; try again later")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
