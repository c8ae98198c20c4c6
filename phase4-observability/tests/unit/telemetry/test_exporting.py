"""A collector that is away, refuses or hangs costs spans, and never a request."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs
from telemetry.config import TelemetrySettings
from telemetry.tracing import Tracing
from tests.observed import Observed, exposed_text, observed
from tests.words import Word, answers, open_call, unary

from tests.waiting import until, until_async
from workbook.part import Part
from workbook.ports import free_port
from workbook.traces.client import Traces
from workbook.traces.part import traces_part


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Part]:
    part = traces_part(tmp_path, free_port())
    part.start()
    yield part
    part.stop()


async def echo(request: Word, _context: object) -> Word:
    return request


async def call(system: Observed, times: int) -> None:
    for _ in range(times):
        assert await answers(open_call(system.channel, "unary_unary", Word(value="hello"))) == ["hello"]


class Stuck(SpanExporter):
    """Takes no span before it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.came = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.came += len(spans)
        self.go.wait()
        return SpanExportResult.SUCCESS


async def test_requests_go_on_while_the_exporter_is_stuck_and_memory_does_not_grow() -> None:
    stuck = Stuck()
    small = TelemetrySettings(otel_bsp_max_queue_size=10, otel_bsp_max_export_batch_size=5, otel_bsp_schedule_delay=1)
    async with observed(unary(echo), small, exporter=stuck) as system:
        await call(system, 50)
        assert await system.ended("client") == {"OK": 50}
        text = exposed_text(await system.tracing.figures())
        assert 'trace_spans_total{outcome="exported"} 0' in text
        assert 'trace_spans_total{outcome="dropped"} 90' in text  # of a hundred, ten wait
        stuck.go.set()
    assert stuck.came == 10


async def test_what_became_of_the_spans_is_counted_and_said_once(collector: Part) -> None:
    with capture_logs() as lines:
        endpoint = Traces(collector.address).endpoint
        settings = TelemetrySettings(  # with 0.8 s or more the exporter would try twice before it fails
            otel_exporter_otlp_endpoint=endpoint, otel_bsp_schedule_delay=1, otel_exporter_otlp_timeout=0.75
        )
        async with Tracing(settings, "words") as tracing:

            async def outcome(name: str, spans: int) -> None:
                async def so_many() -> bool:
                    text = exposed_text(await tracing.figures())
                    return f'trace_spans_total{{outcome="{name}"}} {spans}.0\n' in text

                tracing.tracer.start_span("one").end()
                await until_async(so_many)

            await outcome("exported", 1)
            collector.kill()
            await outcome("failed", 1)
            await outcome("failed", 2)
            collector.start()
            await outcome("exported", 2)
        assert len(Traces(collector.address).spans()) == 1  # the first one went with the collector
    assert [line["event"] for line in lines] == ["the collector does not take traces", "traces are exported again"]


async def test_a_collector_that_hangs_does_not_hold_up_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # it takes connections, and never answers
        settings = TelemetrySettings(
            otel_exporter_otlp_endpoint=f"http://127.0.0.1:{hanging.getsockname()[1]}",
            otel_exporter_otlp_timeout=0.2,
            otel_bsp_max_export_batch_size=1,
            otel_bsp_schedule_delay=60_000,
        )
        async with Tracing(settings, "words") as tracing:
            for _ in range(500):  # at 0.2 s each, they would take 100 s
                tracing.tracer.start_span("one").end()
            began = time.monotonic()
        assert time.monotonic() - began < 30


async def test_nobody_there_is_no_reason_to_fail() -> None:
    settings = TelemetrySettings(
        otel_exporter_otlp_endpoint=f"http://127.0.0.1:{free_port()}",
        otel_bsp_schedule_delay=1,
        otel_exporter_otlp_timeout=0.1,
    )
    async with Tracing(settings, "words") as tracing:
        tracing.tracer.start_span("one").end()

        async def failed() -> bool:
            return 'outcome="failed"} 1.0' in exposed_text(await tracing.figures())

        await until_async(failed)


async def test_without_an_endpoint_nothing_is_recorded_and_ids_go_along() -> None:
    async with Tracing(TelemetrySettings(), "words") as tracing:
        span = tracing.tracer.start_span("one")
        assert (span.is_recording(), span.get_span_context().is_valid) == (False, True)
        assert 'trace_spans_total{outcome="failed"} 0.0' in exposed_text(await tracing.figures())


def test_spans_of_all_threads_arrive(collector: Part) -> None:
    """Whoever ends a span does so in its own thread; the exporter has one of its own."""
    traces = Traces(collector.address)
    tracing = Tracing(TelemetrySettings(otel_exporter_otlp_endpoint=traces.endpoint), "words")
    threads = [threading.Thread(target=lambda: tracing.tracer.start_span("one").end()) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(tracing.__aexit__())
    until(lambda: len(traces.spans()) == 20)
