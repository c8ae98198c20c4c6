"""What is told of each request: its span, its figures, its trace in the answer; and the headers of all answers."""

import time
from collections.abc import Mapping

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from telemetry.propagation import carried, carrier_of

from api_gateway.addresses import Addresses
from api_gateway.figures import CLIENT_LEFT, HttpFigures

_API_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS: Mapping[bytes, bytes] = {
    b"cache-control": b"no-store",
    b"content-security-policy": _API_POLICY,
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=()",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
_SERVER_ERROR = 500


class Telling:
    """Traces begin here. One that came along is taken over from a trusted proxy only: others may write what they like,
    and would fill the traces of somebody else.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer, figures: HttpFigures, addresses: Addresses) -> None:
        self._app = app
        self._tracer = tracer
        self._figures = figures
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        span = self._tracer.start_span(scope["method"], self._came_with(scope), SpanKind.SERVER)
        otel.attach(trace.set_span_in_context(span))  # every request is handled in a task, and so a context, of its own
        request = _Request(scope, span, send)
        self._figures.begin()
        try:
            await self._app(scope, receive, request.send)
        finally:
            request.end(self._figures)

    def _came_with(self, scope: Scope) -> Context:
        client = scope.get("client")
        if client is None or not self._addresses.trusts(client[0]):
            return Context()
        return carried((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


class _Request:
    __slots__ = ("_began", "_scope", "_send", "_span", "_status", "_streams")

    def __init__(self, scope: Scope, span: Span, send: Send) -> None:
        self._scope = scope
        self._span = span
        self._send = send
        self._status = CLIENT_LEFT
        self._streams = False
        self._began = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message["headers"] = self._with_ours(dict(message.get("headers", ())), message.get("headers", ()))
        await self._send(message)

    def _with_ours(
        self, there: dict[bytes, bytes], headers: "list[tuple[bytes, bytes]]"
    ) -> "list[tuple[bytes, bytes]]":
        kind = there.get(b"content-type", b"")
        self._streams = kind.startswith(b"text/event-stream")
        ours = {**_ALWAYS, b"content-security-policy": _PAGE_POLICY} if kind.startswith(b"text/html") else _ALWAYS
        own = [(name, value) for name, value in ours.items() if name not in there]
        return [*headers, *own, *((name.encode(), value.encode()) for name, value in carrier_of(self._span).items())]

    def end(self, figures: HttpFigures) -> None:
        method, route = figures.name(self._scope)
        context = self._span.get_span_context()
        kept = f"{context.trace_id:032x}" if self._span.is_recording() else ""
        seconds = None if self._streams else time.perf_counter() - self._began
        figures.end(method, route, self._status, seconds, kept)
        if kept:
            self._span.update_name(f"{method} {route}")
            self._span.set_attributes(
                {"http.request.method": method, "http.route": route, "http.response.status_code": self._status}
            )
            if self._status >= _SERVER_ERROR:
                self._span.set_status(StatusCode.ERROR)
        self._span.end()
