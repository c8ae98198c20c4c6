"""The words service with telemetry on both sides of its calls, and what was told: figures, and spans in memory."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from chassis.channel import open_channel
from chassis.interceptor import Handler
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector
from telemetry.client import client_telemetry
from telemetry.config import TelemetrySettings
from telemetry.methods import Methods
from telemetry.requests import RequestMetrics, Requests
from telemetry.server import ServerTelemetry
from telemetry.spans import Spans
from telemetry.tracing import Tracing
from tests.words import KINDS, SERVICE, serving

METHODS = Methods(f"{SERVICE}/{kind}" for kind in KINDS)
LINE = re.compile(r"^([a-z_]+(?:\{.*?\})?) (\S+)(?: # (.*))?$", re.MULTILINE)


class Kept(SpanExporter):
    """Keeps all spans it is given."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]


class _These(Collector):
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Sequence[Metric]:
        return self._metrics


def exposed_text(metrics: Sequence[Metric]) -> str:
    """What Prometheus gets, as OpenMetrics."""
    registry = CollectorRegistry()
    registry.register(_These(metrics))
    return generate_latest(registry).decode()


@dataclass
class Observed:
    """A running words service; `channel` leads to it, and tells of its calls too."""

    channel: grpc.aio.Channel
    address: str
    metrics: RequestMetrics
    tracing: Tracing
    kept: Kept = field(default_factory=Kept)

    async def text(self) -> str:
        return exposed_text(await self.metrics.figures())

    async def figures(self) -> dict[str, float]:
        return {name: float(value) for name, value, _ in LINE.findall(await self.text())}

    async def ended(self, side: str, kind: str = "unary_unary") -> dict[str, float]:
        """How the calls of a kind have ended, by code, without those that never came."""
        found = await self.figures()
        label = re.compile(rf'grpc_requests_total{{code="(\w+)",method="{SERVICE}/{kind}",side="{side}"}}')
        codes = {match[1]: value for name, value in found.items() if (match := label.fullmatch(name))}
        return {code: value for code, value in codes.items() if value}

    async def in_flight(self) -> float:
        return sum(value for name, value in (await self.figures()).items() if "in_flight" in name)


@asynccontextmanager
async def observed(
    methods: Mapping[str, Handler],
    settings: TelemetrySettings | None = None,
    *,
    exporter: SpanExporter | None = None,
    port: int | None = None,
) -> AsyncIterator[Observed]:
    """All spans are in `kept`, or at `exporter`, once the block is left; `port` is another one than the server's."""
    kept, metrics = Kept(), RequestMetrics()
    async with Tracing(settings or TelemetrySettings(), "words", exporter or kept) as tracing:
        spans = Spans(tracing.tracer)
        around = ServerTelemetry(Requests(metrics, "server", METHODS), spans)
        calling = client_telemetry(Requests(metrics, "client", METHODS), spans)
        async with serving(methods, outside=[around]) as server:
            address = f"127.0.0.1:{port or server.port}"
            async with open_channel(address, deadline_limit=30, interceptors=calling) as channel:
                yield Observed(channel, address, metrics, tracing, kept)
