"""Watching availability: one stream from the event service for an event, however many look on."""

import asyncio
import contextvars
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import grpc
from event_service.proto import event_pb2 as pb

from api_gateway.problems import Problem

if TYPE_CHECKING:
    from event_service.proto.event_pb2_grpc import EventServiceAsyncStub


class WatchEnded(Exception):
    """There are no more numbers."""


class Watch:
    """The newest numbers of an event. Who reads slowly skips some, and holds up nobody."""

    def __init__(self, answers: AsyncIterable[pb.WatchAvailabilityResponse]) -> None:
        self.watchers = 0
        self._latest: pb.WatchAvailabilityResponse | None = None
        self._over: grpc.RpcError | None = None
        self._ended = False
        self._changed = asyncio.Condition()
        # In a context of its own: it serves many requests, and none of them is its caller.
        self._reading = asyncio.create_task(self._read(answers), context=contextvars.Context())

    async def _read(self, answers: AsyncIterable[pb.WatchAvailabilityResponse]) -> None:
        try:
            async for answer in answers:
                await self._note(answer)
        except grpc.RpcError as error:
            self._over = error
        await self.end()

    async def _note(self, answer: pb.WatchAvailabilityResponse) -> None:
        async with self._changed:
            self._latest = answer
            self._changed.notify_all()

    async def end(self) -> None:
        """Whoever looks on is told that nothing more comes."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        self._reading.cancel()

    @property
    def ended(self) -> bool:
        return self._ended

    async def other_than(
        self, seen: pb.WatchAvailabilityResponse | None, patience: float
    ) -> pb.WatchAvailabilityResponse | None:
        """The newest numbers once they are not `seen`, or None after `patience` seconds.

        Raises the event service's refusal, and WatchEnded when there is no more.
        """
        try:
            async with asyncio.timeout(patience), self._changed:
                await self._changed.wait_for(lambda: self._ended or self._latest is not seen)
        except TimeoutError:
            return None
        if self._over is not None:
            raise self._over
        if self._ended:
            raise WatchEnded
        return self._latest


class Watches:
    """At most `most` events at a time: each one costs a stream, and the event service answers so many calls at once."""

    def __init__(self, events: "EventServiceAsyncStub", most: int) -> None:
        self._events = events
        self._most = most
        self._watches: dict[str, Watch] = {}

    @asynccontextmanager
    async def watching(self, event_id: str) -> AsyncIterator[Watch]:
        watch = self._watches.get(event_id)
        if watch is None or watch.ended:
            watch = self._watches[event_id] = self._new(event_id)
        watch.watchers += 1
        try:
            yield watch
        finally:
            watch.watchers -= 1
            if not watch.watchers:
                watch.stop()
                if self._watches.get(event_id) is watch:
                    del self._watches[event_id]

    def _new(self, event_id: str) -> Watch:
        if len(self._watches) >= self._most:
            detail = "too many different events are being watched; try again later"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "TOO_MANY_EVENTS_WATCHED", detail)
        return Watch(self._events.WatchAvailability(pb.WatchAvailabilityRequest(event_id=event_id)))

    async def end(self) -> None:
        """All streams end, as they must before the server can."""
        for watch in list(self._watches.values()):
            await watch.end()
