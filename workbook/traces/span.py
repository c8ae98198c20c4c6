"""A span as people ask for it: plain values, made of OpenTelemetry's message, or of the receiver's JSON."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

_KIND = "SPAN_KIND_"


@dataclass(frozen=True, slots=True)
class Span:
    """`start` and `end` are nanoseconds since 1970; `parent_id` is empty at a root; ids are hexadecimal."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    start: int
    end: int
    error: bool
    message: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    """The traces it belongs to besides its own."""

    @property
    def milliseconds(self) -> float:
        return (self.end - self.start) / 1e6


def span_of(service: str, span: pb.Span) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=service,
        name=span.name,
        kind=_kind_of(span.kind),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        error=span.status.code == pb.Status.STATUS_CODE_ERROR,
        message=span.status.message,
        attributes=plain(span.attributes),
        links=[link.trace_id.hex() for link in span.links],
    )


def plain(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes as Python and JSON have them; bytes as hexadecimal."""
    return {pair.key: _value_of(pair.value) for pair in pairs}


def _value_of(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return [_value_of(one) for one in value.array_value.values]
    if which == "kvlist_value":
        return plain(value.kvlist_value.values)
    return value.bytes_value.hex() if which == "bytes_value" else getattr(value, which)


def _kind_of(number: int) -> str:
    """CLIENT, SERVER and so on; one that this version of OTLP does not know stays a number."""
    known = pb.Span.SpanKind.DESCRIPTOR.values_by_number.get(number)
    return known.name.removeprefix(_KIND) if known else str(number)
