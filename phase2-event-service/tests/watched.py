"""A server whose events have another number of tickets each time they are read, and what its watchers are sent."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import grpc
from chassis.interceptor import Context
from chassis.server import GrpcServer
from event_service.config import EventSettings
from event_service.domain import Event, Kind
from event_service.handler import EventHandler
from event_service.proto import event_pb2 as pb
from event_service.proto.event_pb2_grpc import EventServiceStub, add_EventServiceServicer_to_server
from event_service.watching import Watching

from tests.waiting import until_async

MOMENT = datetime(2099, 1, 1, tzinfo=UTC)
CONCERT, MATCH = uuid.UUID(int=1), uuid.UUID(int=2)


class Readings:
    """Two events whose availability is another number each time it is read; remembers who was read last."""

    def __init__(self) -> None:
        self.count = 0
        self.last: Sequence[uuid.UUID] = ()
        self.failing = False

    async def many(self, event_ids: Sequence[uuid.UUID]) -> list[Event]:
        self.count, self.last = self.count + 1, event_ids
        if self.failing:
            raise RuntimeError("a bug, say")
        event = Event(CONCERT, "Jazz", Kind.CONCERT, MOMENT, "UTC", "Babylon", 10**6, self.count, MOMENT, MOMENT)
        return [replace(event, id=event_id) for event_id in event_ids]

    async def ready(self) -> None:
        pass


class Waiting(Watching):
    """The wrong way: it waits for each watcher to take each number."""

    def __init__(self, events: Readings, interval: float) -> None:
        super().__init__(events, interval)
        self._queues: dict[asyncio.Queue[Event], uuid.UUID] = {}

    async def watch(self, event_id: uuid.UUID) -> AsyncGenerator[Event, None]:
        queue: asyncio.Queue[Event] = asyncio.Queue(1)
        self._queues[queue] = event_id
        while True:
            yield await queue.get()

    async def _read_on(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            for queue, event_id in list(self._queues.items()):
                (event,) = await self._events.many([event_id])
                await queue.put(event)


class Counting(EventHandler):
    """The right handler; counts how many numbers were handed to gRPC, by event."""

    sent: Counter[str]

    async def WatchAvailability(  # noqa: N802 - gRPC's name
        self, request: pb.WatchAvailabilityRequest, context: Context
    ) -> AsyncIterator[pb.WatchAvailabilityResponse]:
        async for number in super().WatchAvailability(request, context):
            self.sent[request.event_id] += 1
            yield number


@dataclass
class Service:
    """A running server, what it reads, and how many numbers of each event it has handed to gRPC."""

    address: str
    readings: Readings
    sent: Counter[str]

    async def forgets(self, event_id: uuid.UUID) -> None:
        """Returns once the event is no longer read while another one is."""

        async def forgotten() -> bool:
            return self.readings.last == [other(event_id)]

        await until_async(forgotten)


def other(event_id: uuid.UUID) -> uuid.UUID:
    return MATCH if event_id == CONCERT else CONCERT


@asynccontextmanager
async def served(kind: type[Watching] = Watching) -> AsyncIterator[Service]:
    readings = Readings()
    async with kind(readings, 0.0001) as watching:
        server = GrpcServer(EventSettings(grpc_port=0, stop_grace=0), "event.EventService")
        handler = Counting(readings, watching)  # type: ignore[arg-type]  # watching asks no more of it
        handler.sent = Counter()
        add_EventServiceServicer_to_server(handler, server.grpc)
        async with server.running(ready=readings.ready):
            yield Service(f"127.0.0.1:{server.port}", readings, handler.sent)


@asynccontextmanager
async def watching(service: Service, event_id: uuid.UUID, seconds: float | None = None) -> AsyncIterator[Any]:
    """A watcher over a connection of its own."""
    # Without probing for bandwidth it takes 64 KB ahead of its reader, and no more.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)]
    async with grpc.aio.insecure_channel(service.address, options) as channel:
        request = pb.WatchAvailabilityRequest(event_id=str(event_id))
        yield EventServiceStub(channel).WatchAvailability(request, timeout=seconds)


async def read(stream: Any, numbers: int) -> int:
    """Reads so many numbers; returns the last."""
    for _ in range(numbers):
        last = (await stream.read()).available_tickets
    return int(last)
