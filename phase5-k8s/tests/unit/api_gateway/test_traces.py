"""Stores of traces are asked in their own way, and what they say is read alike."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from api_gateway.config import GatewaySettings
from api_gateway.traces import Jaeger, Receiver, Span, StoreAway, TraceStore, store_of

MADE_AT = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
Answer = Callable[[httpx.Request], httpx.Response]


def otlp(*spans: dict[str, Any]) -> dict[str, Any]:
    """As Jaeger answers: OTLP's JSON, in which whole numbers are text."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "booking-service"}}]}
    return {"result": {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}}


def one(trace_id: str, start: int, booking: str = "", **more: Any) -> dict[str, Any]:
    attributes = [{"key": "booking.id", "value": {"stringValue": booking}}] if booking else []
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 5)}
    ids = {"traceId": trace_id, "spanId": f"{start}"}
    return {**ids, "name": "n", "kind": 2, "attributes": attributes, **times, **more}


def of(kind: type[Jaeger] | type[Receiver], answer: Answer) -> TraceStore:
    return kind(httpx.AsyncClient(transport=httpx.MockTransport(answer)), "http://traces/api")


async def test_jaegers_spans_are_read_in_order_with_their_errors_and_kinds() -> None:
    late = one("t", 20, parentSpanId="10", kind=4, status={"code": 2})
    store = of(Jaeger, lambda _: httpx.Response(200, json=otlp(late, one("t", 10, "b"))))
    assert await store.spans("t") == [
        Span("t", "10", "", "booking-service", "n", "SERVER", 10, 15, error=False, attributes={"booking.id": "b"}),
        Span("t", "20", "10", "booking-service", "n", "PRODUCER", 20, 25, error=True),
    ]


async def test_jaeger_is_asked_for_the_time_of_a_booking_and_its_first_trace_is_taken() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=otlp(one("cancelled", 30, "b"), one("made", 10, "b"), one("other", 5, "c")))

    assert await of(Jaeger, answer).trace_of("b", MADE_AT) == "made"
    assert asked[0].url.params["query.start_time_min"] == "2026-11-24T19:59:30+00:00"


@pytest.mark.parametrize("kind", [Jaeger, Receiver])
async def test_what_a_store_does_not_know_is_nothing(kind: type[Jaeger] | type[Receiver]) -> None:
    store = of(kind, lambda _: httpx.Response(404))
    assert (await store.spans("t"), await store.trace_of("b", MADE_AT)) == ([], "")


def _no_line(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize("kind", [Jaeger, Receiver])
@pytest.mark.parametrize(
    "answer", [_no_line, lambda _: httpx.Response(500), lambda _: httpx.Response(200, text="<html>")]
)
async def test_a_store_that_does_not_answer_is_away(kind: type[Jaeger] | type[Receiver], answer: Answer) -> None:
    with pytest.raises(StoreAway):
        await of(kind, answer).spans("t")


def test_jaeger_is_asked_where_both_are_known_and_nobody_where_none_is() -> None:
    client = httpx.AsyncClient()
    assert isinstance(store_of(GatewaySettings(jaeger_address="j:1", traces_address="t:1"), client), Jaeger)
    assert isinstance(store_of(GatewaySettings(traces_address="t:1"), client), Receiver)
    assert store_of(GatewaySettings(), client) is None
