"""Trace contexts on their way: W3C's traceparent and tracestate in metadata and headers.

The usual form is read and written here, at a third of the library's cost, since every call does both; all others are
left to the library.
"""

import re
from collections.abc import Iterable

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_USUAL = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_FIELDS = frozenset({"traceparent", "tracestate"})
_PROPAGATOR = TraceContextTextMapPropagator()


def carried(pairs: Iterable[tuple[str, str | bytes]]) -> Context:
    """The context that these pairs carry; an empty one, the beginning of a trace, without one that can be read."""
    carrier = {name: value for name, value in pairs if name in _FIELDS and isinstance(value, str)}
    if "traceparent" not in carrier:
        return Context()
    usual = _USUAL.fullmatch(carrier["traceparent"]) if len(carrier) == 1 else None
    if usual is None:
        return _PROPAGATOR.extract(carrier, Context())
    trace_id, span_id, flags = (int(part, 16) for part in usual.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return trace.set_span_in_context(NonRecordingSpan(context), Context()) if context.is_valid else Context()


def carrier_of(span: trace.Span) -> dict[str, str]:
    """What carries this span's context on; nothing where there is no trace."""
    context = span.get_span_context()
    if not context.is_valid:
        return {}
    if context.trace_state:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, trace.set_span_in_context(span, Context()))
        return carrier
    return {"traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"}


def traceparent_of(span: trace.Span) -> str:
    return carrier_of(span).get("traceparent", "")
