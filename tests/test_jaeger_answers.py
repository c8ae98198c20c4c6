"""What Jaeger answers is read as what our own receiver answers: the same spans, oldest first."""

import base64

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from workbook.traces.jaeger import spans_of
from workbook.traces.span import span_of

IDS = ("traceId", "spanId", "parentSpanId")


def span(number: int, parent: int) -> pb.Span:
    return pb.Span(
        trace_id=bytes(range(16)),
        span_id=bytes([number] * 8),
        parent_span_id=bytes([parent] * 8),
        name=f"number {number}",
        kind=pb.Span.SPAN_KIND_SERVER,
        start_time_unix_nano=number,
        end_time_unix_nano=9,
    )


def with_hexadecimal_ids(value: object) -> object:
    """As OTLP has JSON, of what protobuf makes of it."""
    if isinstance(value, list):
        return [with_hexadecimal_ids(one) for one in value]
    if isinstance(value, dict):
        ids = {key: base64.b64decode(value[key]).hex() for key in IDS if key in value}
        return {key: with_hexadecimal_ids(one) for key, one in value.items()} | ids
    return value


def test_spans_are_read_whole_and_in_order() -> None:
    second, first = span(2, 1), span(1, 3)
    first.status.CopyFrom(pb.Status(code=pb.Status.STATUS_CODE_ERROR, message="no money"))
    first.attributes.append(KeyValue(key="tickets", value=AnyValue(int_value=2)))
    first.links.append(pb.Span.Link(trace_id=bytes([7] * 16), span_id=bytes([7] * 8)))
    data = pb.TracesData(resource_spans=[pb.ResourceSpans(scope_spans=[pb.ScopeSpans(spans=[second, first])])])
    data.resource_spans[0].resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="shop")))
    answer = with_hexadecimal_ids(MessageToDict(data))
    assert isinstance(answer, dict)
    assert spans_of(answer) == [span_of("shop", first), span_of("shop", second)]
