"""The receiver takes what OpenTelemetry's own exporter sends, keeps what it has room for, and survives the rest."""

import gzip
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode

from workbook.part import Part, State
from workbook.ports import free_port
from workbook.traces.client import Traces, edges
from workbook.traces.part import traces_part
from workbook.traces.receiver import LARGEST, PROTOBUF
from workbook.traces.store import Question, Store


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    started = traces_part(Path(tmp_path_factory.mktemp("traces")), free_port())
    started.start()
    yield started
    started.stop()


@pytest.fixture
def traces(part: Part) -> Iterator[Traces]:
    """It answers after each test what it answered before: nothing ends it or makes it forget."""
    found = Traces(part.address)
    before = {span.span_id for span in found.spans()}
    yield found
    assert before <= {span.span_id for span in found.spans()}
    assert part.state is State.RUNNING


def buys(traces: Traces, booking: str, compression: Compression = Compression.NoCompression) -> str:
    """A trace of two spans, the second an error; its id."""
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    exporter = OTLPSpanExporter(f"{traces.endpoint}/v1/traces", compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("buys", attributes={"booking.id": booking, "tickets": 2}) as outer:
        tracer.start_span("pays").end()
        outer.set_status(Status(StatusCode.ERROR, "no money"))
    provider.shutdown()
    return f"{outer.get_span_context().trace_id:032x}"


def ask(traces: Traces, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str) -> tuple[int, bytes]:
    """The status and the body of the answer; without a body it is GET."""
    named = {"Content-Type": PROTOBUF} | {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(HTTPConnection(traces.address, timeout=10)) as connection:
        connection.request("GET" if body is None else "POST", path, body, named)
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_a_trace_is_found_by_whatever_is_known_of_it(traces: Traces, compression: Compression) -> None:
    booking = f"of {compression.value}"
    trace_id = buys(traces, booking, compression)
    spans = traces.trace(trace_id)
    assert edges(spans) == {("", "shop: buys"), ("shop: buys", "shop: pays")}
    assert [(span.name, span.error, span.message) for span in spans] == [
        ("buys", True, "no money"),
        ("pays", False, ""),
    ]
    assert spans[0].attributes == {"booking.id": booking, "tickets": 2}
    assert spans[0].milliseconds >= spans[1].milliseconds > 0
    assert traces.trace_ids(booking) == [trace_id]
    assert traces.spans(attribute="tickets=2", newest=1) == [spans[0]]
    assert traces.spans(service="shop", newest=2) == spans
    assert traces.spans(service="nobody") == traces.spans(attribute="booking.id=another") == []


@pytest.mark.parametrize(
    ("body", "headers", "answer"),
    [
        (b"", {}, 200),
        (b"\xff\xff", {}, 400),
        (b"no gzip", {"Content_Encoding": "gzip"}, 400),
        (b"{}", {"Content_Type": "application/json"}, 415),
        (bytes(LARGEST + 1), {}, 413),
        (gzip.compress(bytes(100 * LARGEST), 1), {"Content_Encoding": "gzip"}, 413),
    ],
)
def test_what_is_no_message_is_told_so(traces: Traces, body: bytes, headers: dict[str, str], answer: int) -> None:
    assert ask(traces, "/v1/traces", body, **headers)[0] == answer


def test_a_body_of_unknown_length_is_no_way_around_the_limit(traces: Traces) -> None:
    pieces = (bytes(1 << 20) for _ in range(LARGEST // (1 << 20) + 2))
    assert ask(traces, "/v1/traces", pieces)[0] == 413


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/", 404),
        ("/v1/metrics", 404),
        ("/v1/traces", 405),
        ("/spans?newest=many", 400),
        ("/spans?trace_id=xyz", 400),
        ("/spans?newest=-1", 200),
    ],
)
def test_a_wrong_question_is_told_so(traces: Traces, path: str, answer: int) -> None:
    assert ask(traces, path)[0] == answer


def sent(*names: str, id_length: int = 16) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number, name in enumerate(names):
        spans.add(name=name, trace_id=bytes(id_length), span_id=number.to_bytes(8), start_time_unix_nano=number)
    return request


def test_spans_without_ids_are_counted_and_left_out(traces: Traces) -> None:
    _, answer = ask(traces, "/v1/traces", sent("one", "two", id_length=3).SerializeToString())
    told = ExportTraceServiceResponse.FromString(answer)
    assert told.partial_success.rejected_spans == 2
    assert traces.spans(service="unknown_service") == []
    assert ask(traces, "/v1/traces", sent("three").SerializeToString())[1] == b""
    assert [span.name for span in traces.spans(service="unknown_service")] == ["three"]


def test_the_oldest_are_forgotten_and_what_comes_twice_is_kept_once() -> None:
    store, names = Store(most=5000), [f"span {number}" for number in range(20)]
    store.take(sent(*names))
    kept = [span.name for span in store.find(Question())]
    assert 5 <= len(kept) < 12
    assert kept == names[-len(kept) :]
    store.take(sent(*names))
    assert [span.name for span in store.find(Question())] == kept
