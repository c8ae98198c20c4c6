"""Spans of requests: one trace over both sides, with the statuses that OpenTelemetry's conventions ask for."""

import asyncio

import grpc
import pytest
import structlog
from chassis.errors import NotFound
from chassis.interceptor import Context
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs
from telemetry.config import TelemetrySettings
from telemetry.logs import with_trace_ids
from tests.observed import Observed, observed
from tests.words import METHOD, SERVICE, Word, answers, failure, open_call, unary

from tests.waiting import until_async

NAME = f"{SERVICE}/unary_unary"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def say(request: Word, _context: Context) -> Word:
    structlog.get_logger(__name__).info("said")
    if request.value == "refuse":
        raise NotFound("no such word")
    if request.value == "bug":
        raise ZeroDivisionError
    if request.value == "hang":
        await asyncio.Event().wait()
    return Word(value=request.value)


async def called(system: Observed, word: str = "hello", **options: object) -> None:
    call = open_call(system.channel, "unary_unary", Word(value=word), **options)
    await (answers(call) if word == "hello" else failure(call))


async def test_both_sides_are_one_trace() -> None:
    async with observed(unary(say)) as system:
        await called(system)
    client, server = sorted(system.kept.named(NAME), key=lambda span: span.kind is SpanKind.SERVER)
    assert (client.kind, client.parent) == (SpanKind.CLIENT, None)
    assert server.kind is SpanKind.SERVER
    assert server.parent is not None
    assert server.parent.span_id == client.get_span_context().span_id
    assert server.get_span_context().trace_id == client.get_span_context().trace_id
    told = {"rpc.system.name": "grpc", "rpc.method": NAME, "rpc.response.status_code": "OK"}
    assert dict(server.attributes or {}) == dict(client.attributes or {}) == told
    assert server.resource.attributes["service.name"] == "words"


@pytest.mark.parametrize(
    ("word", "code", "server", "client"),
    [
        ("hello", "OK", StatusCode.UNSET, StatusCode.UNSET),
        ("refuse", "NOT_FOUND", StatusCode.UNSET, StatusCode.ERROR),
        ("bug", "INTERNAL", StatusCode.ERROR, StatusCode.ERROR),
        ("hang", "DEADLINE_EXCEEDED", StatusCode.ERROR, StatusCode.ERROR),
    ],
)
async def test_whose_fault_it_was(word: str, code: str, server: StatusCode, client: StatusCode) -> None:
    async with observed(unary(say)) as system:
        await called(system, word, timeout=1 if word == "hang" else 20)

        async def at_rest() -> bool:
            return bool(await system.ended("server")) and await system.in_flight() == 0

        await until_async(at_rest)
    found = {span.kind: (span.status.status_code, dict(span.attributes or {})) for span in system.kept.named(NAME)}
    assert {kind: status for kind, (status, _) in found.items()} == {SpanKind.SERVER: server, SpanKind.CLIENT: client}
    assert {attributes["rpc.response.status_code"] for _, attributes in found.values()} == {code}


@pytest.mark.parametrize(("flags", "kept"), [("01", 1), ("00", 0)])
async def test_the_caller_decides_what_is_kept(flags: str, kept: int) -> None:
    """Whatever share of the traces that begin here is kept."""
    settings = TelemetrySettings(otel_traces_sampler_arg=1 - kept)
    async with observed(unary(say), settings) as system, grpc.aio.insecure_channel(system.address) as outsider:
        method = outsider.unary_unary(METHOD["unary_unary"])
        await method(b"", metadata=[("traceparent", f"00-{TRACE}-{PARENT}-{flags}")])
    spans = system.kept.named(NAME)
    assert len(spans) == kept
    assert [f"{span.get_span_context().trace_id:032x}" for span in spans] == [TRACE] * kept


@pytest.mark.parametrize(
    "nonsense", ["", "00-1-2-3", f"00-{'0' * 32}-{PARENT}-01", "\x00" * 9, f"ff-{TRACE}-{PARENT}-01"]
)
async def test_a_traceparent_that_is_none_begins_a_trace(nonsense: str) -> None:
    async with observed(unary(say)) as system, grpc.aio.insecure_channel(system.address) as outsider:
        method = outsider.unary_unary(METHOD["unary_unary"])
        await method(b"", metadata=[("traceparent", nonsense.replace("\x00", "~"))])
    (span,) = system.kept.named(NAME)
    assert span.parent is None


async def test_a_share_of_the_traces_is_kept_whole_or_not_at_all() -> None:
    async with observed(unary(say), TelemetrySettings(otel_traces_sampler_arg=0.5)) as system:
        for _ in range(40):
            await called(system)
    assert 2 * len({span.get_span_context().trace_id for span in system.kept.spans}) == len(system.kept.spans)
    assert 0 < len(system.kept.spans) < 80


async def test_a_line_of_the_log_names_its_trace() -> None:
    with capture_logs([with_trace_ids]) as lines:  # type: ignore[arg-type]  # its own type is narrower than structlog's
        async with observed(unary(say)) as system:
            structlog.get_logger(__name__).info("outside")
            await called(system)
    (said,) = [line for line in lines if line["event"] == "said"]
    server = next(span for span in system.kept.named(NAME) if span.kind is SpanKind.SERVER)
    assert (said["trace_id"], said["span_id"]) == (
        trace.format_trace_id(server.get_span_context().trace_id),
        trace.format_span_id(server.get_span_context().span_id),
    )
    assert "trace_id" not in next(line for line in lines if line["event"] == "outside")


async def test_an_exemplar_names_a_trace_that_is_kept() -> None:
    async with observed(unary(say)) as system:
        await called(system)
        text = await system.text()
    traces = {trace.format_trace_id(span.get_span_context().trace_id) for span in system.kept.spans}
    assert {line.split('trace_id="')[1][:32] for line in text.splitlines() if "trace_id" in line} == traces


async def test_disabled_means_no_ids_and_no_spans() -> None:
    async with observed(unary(say), TelemetrySettings(otel_sdk_disabled=True)) as system:
        await called(system)
        assert "trace_id" not in await system.text()
        assert await system.ended("server") == {"OK": 1}
    assert system.kept.spans == []
