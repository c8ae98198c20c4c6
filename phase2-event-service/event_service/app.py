"""The event service put together, top to bottom. Later phases call `event_app` with other adapters."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from chassis.plugs import NOTHING, Plugs
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
async def event_app(settings: EventSettings, *, plugs: Plugs = NOTHING) -> AsyncIterator[GrpcServer]:
    """The running service; `plugs` are described at chassis/plugs.py."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(plugs.database or Database(settings))
        events = PostgresEvents(database)
        watching = await stack.enter_async_context(Watching(events, settings.watch_interval))
        server = GrpcServer(settings, SERVICE, outside=plugs.outside, inside=plugs.inside)
        event_pb2_grpc.add_EventServiceServicer_to_server(EventHandler(events, watching), server.grpc)
        yield await stack.enter_async_context(server.running(events.ready, watching.end))


async def serve(settings: EventSettings) -> None:
    async with event_app(settings) as server:
        await server.until_stopped()
