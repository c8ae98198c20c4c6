"""OpenTelemetry's tracer, set up for one process: who is sampled, where the spans go, and how it ends."""

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from typing import Self

from messaging.exposition import counter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBasedTraceIdRatio, Sampler
from opentelemetry.trace import NoOpTracer, Tracer
from prometheus_client.metrics_core import Metric

from telemetry.config import TelemetrySettings
from telemetry.encoding import encoded
from telemetry.exporting import BoundedBatches, QuietExporter
from telemetry.finished import FinishedSpans

TRACES = "/v1/traces"
_SCOPE = "telemetry"


class Tracing:
    """Makes spans inside its `async with` block; what it still has at the end is sent, if somebody takes it.

    `exporter` replaces the one to the collector that the settings name.
    """

    def __init__(self, settings: TelemetrySettings, service: str, exporter: SpanExporter | None = None) -> None:
        # It reports each failed try, and Python's gRPC exporter does too: one line of our own says it all.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        exporter = exporter or _to_collector(settings)
        self._batches = _batches(settings, exporter) if exporter is not None else None
        resource = _resource(service)
        self._provider = TracerProvider(_sampler(settings, exporter), resource, shutdown_on_exit=False)
        if self._batches is not None:
            self._provider.add_span_processor(self._batches)
        self.tracer: Tracer = NoOpTracer() if settings.otel_sdk_disabled else self._provider.get_tracer(_SCOPE)
        self.finished = FinishedSpans(self._batches, resource, _SCOPE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._batches is not None:
            self._batches.quiet.stopping = True
        await asyncio.to_thread(self._provider.shutdown)

    async def figures(self) -> Sequence[Metric]:
        sent = self._batches
        counts = {
            "exported": sent.quiet.exported if sent else 0,
            "failed": sent.quiet.failed if sent else 0,
            "dropped": sent.dropped if sent else 0,
        }
        return [counter("trace_spans", "Spans by what became of them", counts, "outcome")]


def _sampler(settings: TelemetrySettings, exporter: SpanExporter | None) -> Sampler:
    """The caller decides; where nobody has decided, a share of all traces. Without a collector none: nobody looks."""
    return ALWAYS_OFF if exporter is None else ParentBasedTraceIdRatio(settings.otel_traces_sampler_arg)


def _to_collector(settings: TelemetrySettings) -> SpanExporter | None:
    endpoint = settings.otel_exporter_otlp_endpoint.rstrip("/")
    if not endpoint or settings.otel_sdk_disabled:
        return None
    return _Exporter(f"{endpoint}{TRACES}", timeout=settings.otel_exporter_otlp_timeout)


class _Exporter(OTLPSpanExporter):
    """The library's exporter, its connection and its retries, with an encoder of our own."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS if self._client.export(encoded(spans)).success else SpanExportResult.FAILURE


def _batches(settings: TelemetrySettings, exporter: SpanExporter) -> BoundedBatches:
    return BoundedBatches(
        QuietExporter(exporter),
        most=settings.otel_bsp_max_queue_size,
        batch=settings.otel_bsp_max_export_batch_size,
        delay=settings.otel_bsp_schedule_delay,
    )


def _resource(service: str) -> Resource:
    return Resource.create({"service.name": service, "service.instance.id": f"{socket.gethostname()}:{os.getpid()}"})
