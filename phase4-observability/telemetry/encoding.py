"""Spans as OTLP's bytes, in less than half the time that the library's own encoder takes.

It makes every attribute of every span anew; here the attributes that come again and again are made once. On two cores
that also serve requests, half of what a trace costs was this.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, SpanFlags
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

_KINDS = {kind: Span.SpanKind.Value(f"SPAN_KIND_{kind.name}") for kind in SpanKind}
_LOCAL = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE = _LOCAL | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


def encoded(spans: Sequence[ReadableSpan]) -> bytes:
    """What is sent to a collector for these spans, all of one process."""
    plain = [span for span in spans if not span.events and not span.links]
    rich = [span for span in spans if span.events or span.links]  # none of ours: they are left to the library
    request = ExportTraceServiceRequest()
    if plain:
        resource = request.resource_spans.add()
        resource.resource.attributes.extend(_pairs(plain[0].resource.attributes.items()))
        scopes: dict[str, ScopeSpans] = {}
        for span in plain:
            name = span.instrumentation_scope.name if span.instrumentation_scope else ""
            if name not in scopes:
                scopes[name] = resource.scope_spans.add()
                scopes[name].scope.name = name
            _add(scopes[name], span)
    if rich:
        request.resource_spans.extend(encode_spans(rich).resource_spans)
    return request.SerializeToString()


def _add(scope: ScopeSpans, span: ReadableSpan) -> None:
    context, parent, status = span.get_span_context() or _NOBODY, span.parent, span.status
    added = scope.spans.add(
        trace_id=context.trace_id.to_bytes(16, "big"),
        span_id=context.span_id.to_bytes(8, "big"),
        trace_state=context.trace_state.to_header() if context.trace_state else "",
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent is not None else b"",
        name=span.name,
        kind=_KINDS[span.kind],
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        attributes=_pairs((span.attributes or {}).items()),
        flags=_REMOTE if parent is not None and parent.is_remote else _LOCAL,
    )
    if status.status_code is not StatusCode.UNSET:
        added.status.code = status.status_code.value  # the numbers are the same in both
        added.status.message = status.description or ""


def _pairs(attributes: Iterable[tuple[str, Any]]) -> list[KeyValue]:
    return [_pair(name, value) if name not in _UNIQUE else _pair.__wrapped__(name, value) for name, value in attributes]


@lru_cache(maxsize=2000, typed=True)
def _pair(name: str, value: Any) -> KeyValue:
    return KeyValue(key=name, value=_value(value))


def _value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    return AnyValue(double_value=value) if isinstance(value, float) else AnyValue(string_value=str(value))


_UNIQUE = frozenset({"booking.id", "messaging.kafka.message.key", "messaging.kafka.offset"})  # not worth keeping
_NOBODY = SpanContext(0, 0, is_remote=False)
