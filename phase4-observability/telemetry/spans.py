"""The spans of requests, on both sides; names and attributes are those of OpenTelemetry's conventions for gRPC."""

from typing import Any

import grpc
from chassis.interceptor import Context
from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from telemetry.methods import OTHER
from telemetry.propagation import carried, carrier_of

_SERVERS_FAULT = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""What makes a server's span an error. A refusal is none: a caller who asks for what is not there is answered well."""


class RpcSpan:
    """The span of one request. `trace_id` is "" where nobody keeps the trace."""

    __slots__ = ("_is_server", "span", "trace_id")

    def __init__(self, span: Span, *, is_server: bool) -> None:
        self.span = span
        self._is_server = is_server
        self.trace_id = f"{span.get_span_context().trace_id:032x}" if span.is_recording() else ""

    def end(self, code: str) -> None:
        if self.trace_id:
            self.span.set_attribute("rpc.response.status_code", code)
            if code in _SERVERS_FAULT or not (self._is_server or code == "OK"):
                self.span.set_attribute("error.type", code)
                self.span.set_status(StatusCode.ERROR)
            self.span.end()


NOBODY = RpcSpan(trace.INVALID_SPAN, is_server=True)


class Spans:
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def shows(self, method: str) -> bool:
        """Health checks come every second from everywhere, and unknown methods never reach a handler."""
        return method != OTHER and not method.startswith("grpc.health.")

    def server(self, method: str, context: Context) -> RpcSpan:
        """Continues the caller's trace or begins one, and makes the span the current one of this call."""
        came_with = carried(context.invocation_metadata() or ())
        span = _not_kept(trace.get_current_span(came_with))
        if span is None:
            span = self._tracer.start_span(method, came_with, SpanKind.SERVER, _attributes(method))
        # Every call is handled in a task, and so in a context, of its own: nothing to reset.
        otel.attach(trace.set_span_in_context(span))
        return RpcSpan(span, is_server=True)

    def client(self, method: str) -> RpcSpan:
        span = _not_kept(trace.get_current_span())
        if span is None:
            span = self._tracer.start_span(method, None, SpanKind.CLIENT, _attributes(method))
        return RpcSpan(span, is_server=False)


def _not_kept(parent: Span) -> Span | None:
    """The parent, if nobody keeps its trace: it goes on as it is. Making ids that nobody sees costs as well."""
    context = parent.get_span_context()
    return parent if context.is_valid and not context.trace_flags.sampled else None


def carrying(details: grpc.aio.ClientCallDetails, span: Span) -> grpc.aio.ClientCallDetails:
    """The same call with this span's context in its metadata."""
    metadata: list[Any] = [*(details.metadata or ()), *carrier_of(span).items()]
    return grpc.aio.ClientCallDetails(
        details.method, details.timeout, grpc.aio.Metadata(*metadata), details.credentials, details.wait_for_ready
    )


def _attributes(method: str) -> dict[str, str]:
    return {"rpc.system.name": "grpc", "rpc.method": method}
