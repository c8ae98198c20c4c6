"""The services as of phase 5: phase 4's, with everybody asked who they are."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from access.bearer import CarryToken
from access.bookings import booking_rules
from access.config import AccessSettings
from access.control import AccessControl
from access.events import OPEN as OPEN_EVENTS
from access.events import RULES as EVENT_RULES
from access.keys import own_keys
from access.signing import ServiceToken
from access.trust import verifier_of
from access.verifying import Verifier
from booking_service.app import BookingApp
from chassis.channel import open_channel
from chassis.plugs import Plugs
from chassis.postgres import Database
from chassis.server import GrpcServer
from messaging.exposition import exposed
from opentelemetry.sdk.trace.export import SpanExporter
from telemetry.app import Told, observed_bookings, observed_events
from telemetry.methods import methods_of
from telemetry.tracing import Tracing
from user_service.app import user_app
from user_service.client import keys_of
from user_service.proto import user_pb2

from phase5.config import GuardedBookingSettings, GuardedEventSettings, ObservedUserSettings

USER = user_pb2.DESCRIPTOR.services_by_name["UserService"]


@asynccontextmanager
async def guarded_bookings(
    settings: GuardedBookingSettings, exporter: SpanExporter | None = None
) -> AsyncIterator[BookingApp]:
    """The running booking service; `exporter` replaces the one to the collector."""
    async with AsyncExitStack() as stack:
        verifier = await _verifier(stack, settings)
        token = ServiceToken(settings.service_name, own_keys(settings.keys_folder, settings.service_name)[0])

        def guarded(plugs: Plugs) -> Plugs:
            database = plugs.database or Database(settings)
            control = AccessControl(verifier, booking_rules(database))
            calling = [*plugs.calling, CarryToken(token.current)]
            return replace(plugs, database=database, inside=[control, *plugs.inside], calling=calling)

        yield await stack.enter_async_context(observed_bookings(settings, exporter, also=guarded))


@asynccontextmanager
async def guarded_events(
    settings: GuardedEventSettings, exporter: SpanExporter | None = None
) -> AsyncIterator[GrpcServer]:
    """The running event service."""
    async with AsyncExitStack() as stack:
        control = AccessControl(await _verifier(stack, settings), EVENT_RULES, OPEN_EVENTS)

        def guarded(plugs: Plugs) -> Plugs:
            return replace(plugs, inside=[control, *plugs.inside])

        yield await stack.enter_async_context(observed_events(settings, exporter, also=guarded))


@asynccontextmanager
async def observed_users(
    settings: ObservedUserSettings, exporter: SpanExporter | None = None
) -> AsyncIterator[GrpcServer]:
    """The running user service, which guards itself."""
    async with AsyncExitStack() as stack:
        tracing = await stack.enter_async_context(Tracing(settings, settings.service_name, exporter))
        told = Told(settings, tracing, methods_of(USER))
        server = await stack.enter_async_context(user_app(settings, plugs=told.plugs))
        await stack.enter_async_context(exposed(settings.metrics_host, settings.metrics_port, *told.figures))
        yield server


async def serve_bookings(settings: GuardedBookingSettings) -> None:
    async with guarded_bookings(settings) as app:
        await app.server.until_stopped()


async def serve_events(settings: GuardedEventSettings) -> None:
    async with guarded_events(settings) as server:
        await server.until_stopped()


async def serve_users(settings: ObservedUserSettings) -> None:
    async with observed_users(settings) as server:
        await server.until_stopped()


async def _verifier(stack: AsyncExitStack, settings: AccessSettings) -> Verifier:
    channel = open_channel(settings.user_address, deadline_limit=settings.keys_deadline)
    return verifier_of(settings, keys_of(await stack.enter_async_context(channel)))
