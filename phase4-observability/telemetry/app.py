"""The services as of phase 4: phase 3's, with everything that tells of them plugged in."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

from booking_outbox.app import outbox_app
from booking_outbox.app import relay_alone as relay_of_phase_3
from booking_service.app import BookingApp
from booking_service.proto import booking_pb2
from chassis.plugs import Plugs
from chassis.postgres import Database
from chassis.server import GrpcServer
from chassis.settings import PostgresSettings
from event_service.app import event_app
from event_service.proto import event_pb2
from messaging.exposition import Figures, exposed
from metrics_consumer.app import metrics_app
from opentelemetry.sdk.trace.export import SpanExporter

from telemetry.bookings import BookingFigures
from telemetry.client import client_telemetry
from telemetry.config import (
    ObservedBookingSettings,
    ObservedEventSettings,
    ObservedMetricsSettings,
)
from telemetry.database import observed_connections
from telemetry.messages import ObservedMessages, ObservedPublisher, traceparent_of_booking
from telemetry.methods import CALLED_BY_BOOKING, Methods, methods_of
from telemetry.pool import PoolFigures
from telemetry.process import of_the_process
from telemetry.remembered import Remembered
from telemetry.requests import RequestMetrics, Requests
from telemetry.server import ServerTelemetry
from telemetry.spans import Spans
from telemetry.tickets import TicketFigures
from telemetry.tracing import Tracing

BOOKING = booking_pb2.DESCRIPTOR.services_by_name["BookingService"]
EVENT = event_pb2.DESCRIPTOR.services_by_name["EventService"]

AlsoPlugged: TypeAlias = Callable[[Plugs], Plugs]
"""What a later phase plugs in beside the telemetry: it takes the plugs and returns those that are used."""


def as_it_is(plugs: Plugs) -> Plugs:
    return plugs


@asynccontextmanager
async def observed_bookings(
    settings: ObservedBookingSettings, exporter: SpanExporter | None = None, *, also: AlsoPlugged = as_it_is
) -> AsyncIterator[BookingApp]:
    """The running booking service; `exporter` replaces the one to the collector."""
    async with Tracing(settings, settings.service_name, exporter) as tracing:
        told = Told(settings, tracing, methods_of(BOOKING), calls=CALLED_BY_BOOKING)
        bookings = BookingFigures(told.database)
        shown = (bookings.unsettled, Remembered(bookings.by_status, settings.figures_every).figures)
        async with outbox_app(
            settings,
            publisher=ObservedPublisher(settings, settings.service_name, tracing.tracer),
            traceparent=traceparent_of_booking,
            also_shown=(*told.figures, *shown),
            plugs=also(told.plugs),
        ) as app:
            yield app


@asynccontextmanager
async def observed_events(
    settings: ObservedEventSettings, exporter: SpanExporter | None = None, *, also: AlsoPlugged = as_it_is
) -> AsyncIterator[GrpcServer]:
    """The running event service."""
    async with AsyncExitStack() as stack:
        tracing = await stack.enter_async_context(Tracing(settings, settings.service_name, exporter))
        told = Told(settings, tracing, methods_of(EVENT))
        server = await stack.enter_async_context(event_app(settings, plugs=also(told.plugs)))
        balance = Remembered(TicketFigures(told.database).balance, settings.figures_every).figures
        await stack.enter_async_context(exposed(settings.metrics_host, settings.metrics_port, *told.figures, balance))
        yield server


@asynccontextmanager
async def observed_metrics(
    settings: ObservedMetricsSettings, exporter: SpanExporter | None = None
) -> AsyncIterator[GrpcServer]:
    """The running metrics consumer."""
    async with Tracing(settings, settings.service_name, exporter) as tracing:
        told = Told(settings, tracing, methods_of())
        async with metrics_app(
            settings,
            publisher=ObservedPublisher(settings, settings.service_name, tracing.tracer),
            around=ObservedMessages(tracing.tracer, settings.consumer_group).around,
            also_shown=told.figures,
            plugs=told.plugs,
        ) as server:
            yield server


async def serve_bookings(settings: ObservedBookingSettings) -> None:
    async with observed_bookings(settings) as app:
        await app.server.until_stopped()


async def serve_events(settings: ObservedEventSettings) -> None:
    async with observed_events(settings) as server:
        await server.until_stopped()


async def serve_metrics(settings: ObservedMetricsSettings) -> None:
    async with observed_metrics(settings) as server:
        await server.until_stopped()


async def relay_alone(settings: ObservedBookingSettings) -> None:
    """Only the relay, in a process of its own, until it is told to stop."""
    async with Tracing(settings, "outbox-relay") as tracing:
        publisher = ObservedPublisher(settings, "outbox-relay", tracing.tracer)
        await relay_of_phase_3(settings, publisher=publisher, also_shown=(tracing.figures, of_the_process))


class Told:
    """What every service tells of itself: its requests, its database, its process, its traces."""

    def __init__(
        self, settings: PostgresSettings, tracing: Tracing, methods: Sequence[str], calls: Sequence[str] = ()
    ) -> None:
        metrics, spans = RequestMetrics(), Spans(tracing.tracer)
        self.database = Database(settings, observed_connections(tracing.finished, settings.db_name))
        self.plugs = Plugs(
            database=self.database,
            outside=[ServerTelemetry(Requests(metrics, "server", Methods(methods)), spans)],
            calling=client_telemetry(Requests(metrics, "client", Methods(calls)), spans) if calls else (),
        )
        self.figures: Sequence[Figures] = (
            metrics.figures,
            PoolFigures(self.database).figures,
            tracing.figures,
            of_the_process,
        )
