"""Watching availability: one query for all watched events of this process, the newest number for each watcher.

A watcher that reads slowly skips numbers; it holds up nobody, and nothing is queued for it.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, Self

import structlog
from chassis.errors import Unavailable

from event_service.domain import Event, EventNotFound

log = structlog.get_logger(__name__)


class Stopping(Unavailable):
    reason = "STOPPING"

    def __init__(self) -> None:
        super().__init__("this server stops; watch again")


class Reading(Protocol):
    async def many(self, event_ids: Sequence[uuid.UUID]) -> list[Event]: ...


class Watching:
    """Reads the events that somebody watches every `interval` seconds, inside its `async with` block."""

    def __init__(self, events: Reading, interval: float) -> None:
        self._events = events
        self._interval = interval
        self._watchers: Counter[uuid.UUID] = Counter()
        self._latest: dict[uuid.UUID, Event] = {}
        self._changed = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self._ended = False

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reader is not None:
            self._reader.cancel()

    async def end(self) -> None:
        """Tells all watchers that this server stops, and those who come from now on."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def watch(self, event_id: uuid.UUID) -> AsyncGenerator[Event, None]:
        """The event now, and again whenever its capacity or availability is another; raises EventNotFound, Stopping."""
        async with self._watched(event_id):
            event = await self._first(event_id)
            while True:
                yield event
                event = await self._other_than(event)

    async def _other_than(self, seen: Event) -> Event:
        async with self._changed:
            await self._changed.wait_for(lambda: self._ended or _numbers(self._latest.get(seen.id)) != _numbers(seen))
            latest = self._latest.get(seen.id)
        if self._ended:
            raise Stopping
        if latest is None:
            raise EventNotFound(seen.id)
        return latest

    @asynccontextmanager
    async def _watched(self, event_id: uuid.UUID) -> AsyncIterator[None]:
        self._watchers[event_id] += 1
        try:
            yield
        finally:
            self._watchers[event_id] -= 1
            if not self._watchers[event_id]:
                del self._watchers[event_id]
                self._latest.pop(event_id, None)

    async def _first(self, event_id: uuid.UUID) -> Event:
        found = await self._events.many([event_id])
        if not found:
            raise EventNotFound(event_id)
        return self._latest.setdefault(event_id, found[0])

    async def _read_on(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            watched = list(self._watchers)
            if not watched:
                continue
            try:
                found = {event.id: event for event in await self._events.many(watched)}
            except Unavailable:  # watchers keep the last number until the database is back
                continue
            except Exception:  # whatever it was, ending here would leave all watchers waiting for ever
                log.exception("reading watched events failed")
                continue
            async with self._changed:
                for event_id in watched:
                    self._note(event_id, found.get(event_id))
                self._changed.notify_all()

    def _note(self, event_id: uuid.UUID, event: Event | None) -> None:
        if event is None:
            self._latest.pop(event_id, None)
        elif event_id in self._watchers:
            self._latest[event_id] = event


def _numbers(event: Event | None) -> tuple[int, int] | None:
    return None if event is None else (event.capacity, event.available)
