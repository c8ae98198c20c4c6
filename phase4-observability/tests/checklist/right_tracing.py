"""The right tracing of a service, written by hand, over a store that answers as Jaeger does."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.checklist.answering import JSON, Answering

_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}  # as OTLP counts them
FAULTS = frozenset({"UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DATA_LOSS"})


@dataclass
class Span:
    service: str
    name: str
    kind: str
    trace_id: str
    parent_id: str
    sampled: bool = True
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    began: float = field(default_factory=time.time)
    error: bool = False
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled:02x}"


class Collected:
    """The spans that came, asked for as Jaeger is. It may be held up: whoever sends to it then, waits."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._open = threading.Event()
        self._open.set()
        self.server = Answering(self._answer)

    def take(self, span: Span) -> None:
        if span.sampled:
            self._spans.append(span)

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def wait(self, seconds: float) -> None:
        """What a request waits for, where spans are sent before it is answered."""
        self._open.wait(seconds)

    def start(self) -> None:
        self._open.set()
        self.server.start()

    def kill(self) -> None:
        self._open.clear()
        self.server.kill()

    def _answer(self, path: str) -> tuple[int, str, str]:
        trace_id = path.rpartition("/")[2]
        found = [span for span in list(self._spans) if span.trace_id == trace_id]
        if path.startswith("/api/v3/traces/") and not found:
            return 404, JSON, '{"error": {"httpCode": 404, "message": "No traces found"}}'
        spans = [{"resource": _named(span.service), "scopeSpans": [{"spans": [_as_otlp(span)]}]} for span in found]
        return 200, JSON, json.dumps({"result": {"resourceSpans": spans}})


class Tracer:
    """That of one service."""

    def __init__(self, service: str, collected: Collected) -> None:
        self._service = service
        self._collected = collected
        self._here = threading.local()

    @property
    def current(self) -> Span | None:
        return getattr(self._here, "span", None)

    def server(self, name: str, traceparent: str) -> Span:
        """The span of a request that came with this, or with nothing."""
        return self.under(name, "server", traceparent)

    def under(self, name: str, kind: str, traceparent: str) -> Span:
        parts = traceparent.split("-") if traceparent else ["00", secrets.token_hex(16), "", "01"]
        return Span(self._service, name, kind, parts[1], parts[2], sampled=self.keeps(parts[3]))

    def keeps(self, flags: str) -> bool:
        return flags.endswith("1")

    @contextmanager
    def at(self, span: Span) -> Iterator[None]:
        """The span is the current one of this thread inside the block."""
        self._here.span = span
        try:
            yield
        finally:
            self._here.span = None

    @contextmanager
    def calling(self, name: str) -> Iterator[str]:
        """The span of a call that is made inside; its traceparent goes along."""
        span = self.under(name, "client", self.current.traceparent if self.current else "")
        try:
            yield self.goes_along(span)
        except BaseException:
            span.error = True
            raise
        finally:
            self.send(span)

    def goes_along(self, span: Span) -> str:
        return span.traceparent

    def named(self, booking_id: str) -> None:
        if self.current:
            self.current.attributes["booking.id"] = booking_id

    def ended(self, span: Span, code: str) -> None:
        span.error = self.is_error(code)
        self.send(span)

    def is_error(self, code: str) -> bool:
        return code in FAULTS

    def send(self, span: Span) -> None:
        self._collected.take(span)

    def message(self, span: Span | None) -> str:
        """The traceparent of a message that is written now."""
        return span.traceparent if span else ""

    def consumed(self, name: str, traceparent: str) -> None:
        if traceparent:
            self.send(self.under(name, "consumer", traceparent))


def _named(service: str) -> dict[str, Any]:
    return {"attributes": [_attribute("service.name", service)]}


def _attribute(name: str, value: str) -> dict[str, Any]:
    return {"key": name, "value": {"stringValue": value}}


def _as_otlp(span: Span) -> dict[str, Any]:
    began = int(span.began * 1e9)
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + 1_000_000),
        "attributes": [_attribute(name, value) for name, value in span.attributes.items()],
        "status": {"code": 2} if span.error else {},
    }
