"""The gateway put together, top to bottom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from access.fetched_keys import FetchedKeys
from access.keys import own_keys
from access.signing import ServiceToken
from access.verifying import Verifier
from chassis.channel import open_channel
from chassis.server import until_told
from fastapi import FastAPI
from messaging.exposition import exposed
from opentelemetry.sdk.trace.export import SpanExporter
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp
from telemetry.client import client_telemetry
from telemetry.methods import Methods, methods_of
from telemetry.process import of_the_process
from telemetry.requests import RequestMetrics, Requests
from telemetry.spans import Spans
from telemetry.tracing import Tracing
from user_service.client import keys_of

from api_gateway import availability, bookings, events, pages, problems, sessions, stories, users
from api_gateway.addresses import Addresses
from api_gateway.availability import Availability
from api_gateway.backends import BOOKING, EVENT, USER, Backends, addresses_of, open_backends
from api_gateway.bodies import Bodies
from api_gateway.callers import Callers
from api_gateway.config import GatewaySettings
from api_gateway.connections import Door
from api_gateway.edge import Edge
from api_gateway.figures import HttpFigures
from api_gateway.limits import Limits
from api_gateway.openapi import with_openapi
from api_gateway.readiness import Readiness
from api_gateway.server import listening
from api_gateway.stories import Stories
from api_gateway.streams import Streams
from api_gateway.telling import Telling
from api_gateway.traces import store_of
from api_gateway.watches import Watches
from api_gateway.windows import OwnWindows, SharedWindows, Windows

_ROUTERS = (
    users.router,
    sessions.router,
    events.router,
    availability.router,
    bookings.router,
    stories.router,
    pages.router,
)
_STATIC = ("GET", "/static")


@dataclass(frozen=True, slots=True)
class Gateway:
    port: int
    readiness: Readiness


@asynccontextmanager
async def gateway(settings: GatewaySettings, exporter: SpanExporter | None = None) -> AsyncIterator[Gateway]:
    """The running gateway; `exporter` replaces the one to the collector."""
    async with AsyncExitStack() as stack:
        tracing = await stack.enter_async_context(Tracing(settings, settings.service_name, exporter))
        calls = RequestMetrics()
        around = client_telemetry(
            Requests(calls, "client", Methods(methods_of(BOOKING, EVENT, USER))), Spans(tracing.tracer)
        )
        backends = await stack.enter_async_context(open_backends(settings, around))
        readiness = await stack.enter_async_context(Readiness(addresses_of(settings)).watched())
        app, addresses = routes(settings, backends, readiness), Addresses(settings.trusted_proxies)
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=settings.story_patience, trust_env=False))
        app.state.stories = Stories(store_of(settings, client), settings.story_patience, settings.jaeger_url)
        figures = HttpFigures(routes_of(app))
        shown = (figures.figures, calls.figures, tracing.figures, of_the_process)
        await stack.enter_async_context(exposed(settings.metrics_host, settings.metrics_port, *shown))
        windows = await stack.enter_async_context(_windows(settings))
        guarded = guard(app, settings, await _verifier(stack, settings), addresses, windows)
        guarded = Telling(guarded, tracing.tracer, figures, addresses)
        port = await stack.enter_async_context(listening(guarded, settings, Door(settings, addresses)))
        stack.push_async_callback(_drain, settings, readiness, app.state.availability)
        yield Gateway(port, readiness)


def routes(settings: GatewaySettings, backends: Backends, readiness: Readiness) -> FastAPI:
    """What answers requests, and what it needs for that."""
    app = FastAPI(
        title="Ticket Workbook",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the address to go to would be made of the Host that the client writes
        telemetry={"tracing": False, "metrics": False, "logs": False},  # see telling.py
    )
    app.state.backends = backends
    app.state.own_token = ServiceToken(settings.service_name, own_keys(settings.keys_folder, settings.service_name)[0])
    app.state.readiness = readiness
    app.state.addresses = Addresses(settings.trusted_proxies)
    app.state.availability = Availability(
        Watches(backends.events, settings.watched_events),
        Streams(settings.streams, settings.streams_per_address),
        settings.stream_heartbeat,
    )
    for router in _ROUTERS:  # as they are: a router that is included looks for the path once more in each request
        app.router.routes.extend(router.routes)
    app.mount("/static", pages.Static(directory=pages.STATIC), name="static")
    problems.answer_with_problems(app)
    return with_openapi(app)


def guard(
    app: ASGIApp, settings: GatewaySettings, verifier: Verifier, addresses: Addresses, windows: Windows
) -> ASGIApp:
    """What stands before the routes, innermost first."""
    app = Bodies(app, settings.body_limit, settings.body_timeout)
    app = Limits(app, settings, windows, addresses)
    app = Edge(app, Callers(verifier), settings.request_deadline)
    if settings.cors_origins:  # around the refusals: a browser shows none to a page that may not read it
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
            expose_headers=["Location", "RateLimit", "RateLimit-Policy", "Retry-After", "traceparent"],
        )
    return app


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every route, as the labels of metrics have them."""
    found = [(method, route.path) for route in app.routes if isinstance(route, Route) for method in route.methods or ()]
    return [*found, _STATIC]


async def serve(settings: GatewaySettings) -> None:
    async with gateway(settings):
        await until_told()


async def _drain(settings: GatewaySettings, readiness: Readiness, streams: Availability) -> None:
    """Not ready, then time for load balancers to see it, then no more streams: they would never end by themselves."""
    readiness.stop()
    await asyncio.sleep(settings.drain_delay)
    await streams.end()


@asynccontextmanager
async def _windows(settings: GatewaySettings) -> AsyncIterator[Windows]:
    url = settings.redis_url.get_secret_value()
    if not url:
        yield OwnWindows()
        return
    async with SharedWindows(url, OwnWindows(), settings.redis_patience) as shared:
        yield shared


async def _verifier(stack: AsyncExitStack, settings: GatewaySettings) -> Verifier:
    """Knows users alone: a service's token has no business out here."""
    channel = open_channel(settings.user_address, deadline_limit=settings.keys_deadline)
    ask = keys_of(await stack.enter_async_context(channel))
    return Verifier(
        FetchedKeys(ask, every=settings.keys_every, pause=settings.keys_pause), leeway=settings.clock_leeway
    )
