"""What the statements of the services are called in a trace; and that spans leave as the library would send them."""

import pytest
from booking_outbox.outbox import WRITE
from booking_service.postgres import BY_ID, CLAIM, MOVE, for_many
from event_service.reservations import BURY_MANY, LOOK, RELEASE, RESERVE, RESERVE_MANY
from google.protobuf.json_format import MessageToDict
from metrics_consumer.postgres import COUNT
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from telemetry.config import TelemetrySettings
from telemetry.encoding import encoded
from telemetry.propagation import carried
from telemetry.statements import described
from telemetry.tracing import Tracing
from tests.observed import Kept


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (CLAIM, "INSERT bookings"),
        (for_many(CLAIM), "INSERT bookings"),
        (MOVE, "UPDATE bookings"),
        (for_many(MOVE), "UPDATE bookings"),
        (BY_ID, "SELECT bookings"),
        (RESERVE, "UPDATE events"),
        (RESERVE_MANY, "UPDATE events"),
        (RELEASE, "UPDATE reservations"),
        (BURY_MANY, "INSERT reservations"),
        (LOOK, "SELECT events"),
        (WRITE, "INSERT outbox"),
        (COUNT, "INSERT counted"),
        ("COMMIT", "COMMIT"),
        ("", ""),
    ],
)
def test_a_statement_is_named_after_what_it_does(statement: str, name: str) -> None:
    assert described(statement)["db.query.summary"] == name


async def test_spans_are_encoded_as_the_library_encodes_them() -> None:
    kept = Kept()
    async with Tracing(TelemetrySettings(), "words", kept) as tracing:
        remote = carried([("traceparent", f"00-{'1' * 32}-{'2' * 16}-01"), ("tracestate", "a=b")])
        root = tracing.tracer.start_span("root", remote, SpanKind.SERVER, {"text": "ç", "whole": 7, "part": 0.5})
        child = tracing.tracer.start_span("child", set_span_in_context(root), SpanKind.CLIENT, {"yes": True, "one": 1})
        child.set_status(Status(StatusCode.ERROR, "why"))
        with_event = tracing.tracer.start_span("with an event")
        with_event.add_event("something")
        for span in (root, child, with_event):
            span.end()
    ours, theirs = ExportTraceServiceRequest.FromString(encoded(kept.spans)), encode_spans(kept.spans)
    assert sorted(spans_of(ours), key=str) == sorted(spans_of(theirs), key=str)
    assert {str(found.resource) for found in ours.resource_spans} == {str(theirs.resource_spans[0].resource)}


def spans_of(request: ExportTraceServiceRequest) -> list[dict[str, object]]:
    found = [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]
    told = [MessageToDict(span) for span in found]
    return [{name: value for name, value in span.items() if value != {}} for span in told]
