"""A system that has the roadmap and nothing else: phase 2's, and of phase 4 what its words say.

Four metrics by those names, with labels of its own; one alert; traces by the SDK as it comes, from service to service.
Nothing of it crosses Kafka, and every refusal is an error, as instrumentation libraries have it.
"""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from tests.checklist import roadmap_system as phase2
from tests.checklist.answering import page
from tests.checklist.commanded import Piece, commanded
from tests.checklist.right_tracing import Collected, Span
from tests.checklist.watched_shop import QUICK

from workbook.part import Part
from workbook.ports import free_port
from workbook.prometheus import prometheus_part

BOOKING, EVENT = "booking.BookingService", "event.EventService"
RULE = {"alert": "ManyErrors", "expr": 'rate(grpc_requests_total{status="error"}[1m]) > 5'}
CONTEXT = TraceContextTextMapPropagator()


class Requests:
    """The metrics of a service's requests, as its client library has them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.total = Counter("grpc_requests_total", "Requests", ["method", "status"], registry=self.registry)
        self.seconds = Histogram("grpc_request_duration_seconds", "Seconds", ["method"], registry=self.registry)

    def shown(self) -> str:
        return generate_latest(self.registry).decode()


class Interceptor(grpc.ServerInterceptor):
    def __init__(self, requests: Requests, tracer: trace.Tracer) -> None:
        self._requests = requests
        self._tracer = tracer

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler, method = continuation(handler_call_details), handler_call_details.method
        if handler is None or not method.startswith((f"/{BOOKING}", f"/{EVENT}")):
            return handler

        def answered(request: Any, context: Any) -> Any:
            status, began = "error", time.perf_counter()
            came_with = CONTEXT.extract(dict(context.invocation_metadata()))
            try:
                # An exception that leaves the block makes the span an error.
                with self._tracer.start_as_current_span(method, came_with, trace.SpanKind.SERVER):
                    answer = handler.unary_unary(request, context)
                status = "ok"
                return answer
            finally:
                self._requests.total.labels(method, status).inc()
                self._requests.seconds.labels(method).observe(time.perf_counter() - began)

        return grpc.unary_unary_rpc_method_handler(answered, handler.request_deserializer, handler.response_serializer)


class Passing(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Puts the trace into the calls that the booking service makes."""

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        carrier: dict[str, str] = {}
        CONTEXT.inject(carrier)
        return continuation(client_call_details._replace(metadata=list(carrier.items()), wait_for_ready=True), request)


class Counted(phase2.Bookings):
    """Counts what it sells."""

    total: Counter
    there: Gauge

    def CreateBooking(self, request: Any, answer: Any) -> None:
        super().CreateBooking(request, answer)
        self.total.labels("confirmed").inc()
        self.there.labels("confirmed").inc()

    def CancelBooking(self, request: Any, answer: Any) -> None:
        super().CancelBooking(request, answer)
        self.there.labels("confirmed").dec()
        self.there.labels("cancelled").inc()


class Sending(SpanExporter):
    """To the store that answers as Jaeger does."""

    def __init__(self, service: str, collected: Collected) -> None:
        self._service = service
        self._collected = collected

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            here, parent = span.get_span_context(), span.parent
            above = trace.format_span_id(parent.span_id) if parent else ""
            trace_id, span_id = trace.format_trace_id(here.trace_id), trace.format_span_id(here.span_id)
            kept = Span(self._service, span.name, span.kind.name.lower(), trace_id, above, span_id=span_id)
            kept.error = span.status.status_code is trace.StatusCode.ERROR
            self._collected.take(kept)
        return SpanExportResult.SUCCESS


def _tracer(service: str, collected: Collected) -> trace.Tracer:
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Sending(service, collected), schedule_delay_millis=200))
    return provider.get_tracer("roadmap")


class Served:
    """One of its services, at an address that it keeps."""

    def __init__(self, pool: Any, service: str, methods: object, interceptor: Interceptor) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._pool, self._service, self._methods, self._interceptor = pool, service, methods, interceptor

    def start(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(20), interceptors=[self._interceptor])
        self._server.add_insecure_port(self.address)
        self._server.add_generic_rpc_handlers((phase2.handler(self._pool, self._service, self._methods),))
        names = (self._service, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server, pool=self._pool)
        self._server.start()

    def kill(self) -> None:
        self._server.stop(None).wait()


@contextmanager
def roadmap_observability(folder: Path) -> Iterator[tuple[str, str]]:
    """The target of such a system, which runs inside the block, and the command that pauses a service of it."""
    collected, of_bookings, of_events = Collected(), Requests(), Requests()
    services = _services(of_bookings, of_events, collected)
    pages = {"booking-metrics": page(of_bookings.shown), "event-metrics": page(of_events.shown)}
    prometheus = _prometheus(folder, {name: shown.address for name, shown in pages.items()})
    pieces: dict[str, Piece] = {**services, **pages, "jaeger": collected, "prometheus": prometheus}
    with ExitStack() as stack:
        for piece in pieces.values():
            piece.start()
            stack.callback(piece.kill)
        pause, _ = stack.enter_context(commanded(folder / "roadmap", {name: [each] for name, each in pieces.items()}))
        found = {name: each.address for name, each in {**services, **pages}.items()}
        found |= {"jaeger": collected.server.address, "prometheus": prometheus.address}
        yield ",".join(f"{name}={address}" for name, address in found.items()), pause


def _services(of_bookings: Requests, of_events: Requests, collected: Collected) -> dict[str, Served]:
    events = phase2.compiled(phase2.EVENT_PROTO.read_text())
    bookings = phase2.compiled(phase2.BOOKING_PROTO.read_text())
    described = phase2.messages_of(bookings, BOOKING), phase2.messages_of(events, EVENT)
    having = Interceptor(of_events, _tracer("events", collected))
    event = Served(events, EVENT, phase2.Events(described[1]), having)
    counted = Counted(*described, grpc.intercept_channel(grpc.insecure_channel(event.address, QUICK), Passing()))
    counted.total = Counter("bookings_total", "Bookings", ["status"], registry=of_bookings.registry)
    counted.there = Gauge("bookings_by_status", "Bookings", ["status"], registry=of_bookings.registry)
    selling = Interceptor(of_bookings, _tracer("bookings", collected))
    return {"event-service": event, "booking-service": Served(bookings, BOOKING, counted, selling)}


def _prometheus(folder: Path, pages: dict[str, str]) -> Part:
    rules = folder / "prometheus" / "rules"
    rules.mkdir(parents=True)
    (rules / "rules.yml").write_text(json.dumps({"groups": [{"name": "all", "rules": [RULE]}]}))
    return prometheus_part(folder, free_port(), 0, pages)
