"""The event service put together, top to bottom. Later phases call `event_app` with other adapters."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
from chassis.postgres import Database
from chassis.server import GrpcServer

from event_service.config import EventSettings
from event_service.handler import EventHandler
from event_service.postgres import PostgresEvents
from event_service.proto import event_pb2, event_pb2_grpc
from event_service.watching import Watching

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = event_pb2.DESCRIPTOR.services_by_name["EventService"].full_name


@asynccontextmanager
async def event_app(
    settings: EventSettings,
    *,
    outside: Sequence[grpc.aio.ServerInterceptor] = (),
    inside: Sequence[grpc.aio.ServerInterceptor] = (),
) -> AsyncIterator[GrpcServer]:
    """The running service; `outside` and `inside` are described at chassis/server.py."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings))
        events = PostgresEvents(database)
        watching = await stack.enter_async_context(Watching(events, settings.watch_interval))
        server = GrpcServer(settings, SERVICE, outside=outside, inside=inside)
        event_pb2_grpc.add_EventServiceServicer_to_server(EventHandler(events, watching), server.grpc)
        yield await stack.enter_async_context(server.running(ready=events.ready))


async def serve(settings: EventSettings) -> None:
    async with event_app(settings) as server:
        await server.until_stopped()
