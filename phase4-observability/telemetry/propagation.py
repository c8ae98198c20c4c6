"""Trace contexts on their way: W3C's traceparent and tracestate in metadata and headers."""

from collections.abc import Iterable

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_FIELDS = frozenset({"traceparent", "tracestate"})
_PROPAGATOR = TraceContextTextMapPropagator()


def carried(pairs: Iterable[tuple[str, str | bytes]]) -> Context:
    """The context that these pairs carry; an empty one, the beginning of a trace, without one that can be read."""
    carrier = {name: value for name, value in pairs if name in _FIELDS and isinstance(value, str)}
    return _PROPAGATOR.extract(carrier, Context()) if carrier else Context()


def carrier_of(span: trace.Span) -> dict[str, str]:
    """What carries this span's context on; nothing where there is no trace."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, trace.set_span_in_context(span, Context()))
    return carrier


def traceparent_of(span: trace.Span) -> str:
    return carrier_of(span).get("traceparent", "")
