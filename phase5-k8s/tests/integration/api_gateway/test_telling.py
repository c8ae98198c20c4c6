"""What is told of a request: its trace through gateway and services, and its figures by template, never by path."""

import asyncio
import uuid

import httpx
import pytest
from api_gateway.app import gateway
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from tests.shops import Shop, booking, client_of, key

from workbook.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPOOFED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Kept(SpanExporter):
    def __init__(self) -> None:
        self.spans: dict[str, ReadableSpan] = {}

    def export(self, spans: "list[ReadableSpan]") -> SpanExportResult:  # type: ignore[override]
        self.spans.update({span.name: span for span in spans})
        return SpanExportResult.SUCCESS


async def test_a_booking_is_one_trace_that_begins_here(shop: Shop) -> None:
    kept = Kept()
    async with shop.gateway(kept) as client:
        headers = shop.headers() | key() | {"traceparent": SPOOFED}
        made = await client.post("/v1/bookings", json=booking(await shop.event(client)), headers=headers)
    ours, called = kept.spans["POST /v1/bookings"], kept.spans["booking.BookingService/CreateBooking"]
    assert ours.parent is None  # what a client says of its trace is not believed
    assert called.parent == ours.context
    assert made.headers["traceparent"].split("-")[1] == f"{ours.context.trace_id:032x}"
    assert ours.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/bookings",
        "http.response.status_code": 201,
    }


async def test_a_trusted_proxy_may_begin_the_trace(shop: Shop) -> None:
    kept = Kept()
    async with shop.gateway(kept, trusted_proxies="127.0.0.0/8") as client:
        await client.get("/v1/events", headers={"traceparent": SPOOFED})
    assert f"{kept.spans['GET /v1/events'].context.trace_id:032x}" == SPOOFED.split("-")[1]


async def test_figures_have_templates_and_a_client_makes_no_series(shop: Shop) -> None:
    port = free_port()
    async with gateway(shop.settings(metrics_port=port)) as running, client_of(running) as client:
        before = await scraped(port)
        for path in (f"/v1/events/{uuid.uuid4()}", f"/v1/events/{uuid.uuid4()}", f"/{uuid.uuid4()}"):
            await client.get(path)
        await client.request("BREW", "/v1/events")
        after = await scraped(port)
    assert {line.rpartition(" ")[0] for line in after} == {line.rpartition(" ")[0] for line in before}
    assert 'http_requests_total{method="GET",route="/v1/events/{event_id}",status="404"} 2.0' in after
    assert 'http_requests_total{method="other",route="other",status="404"} 1.0' in after


async def scraped(port: int) -> list[str]:
    async with httpx.AsyncClient() as client, asyncio.timeout(20):
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return [line for line in text.splitlines() if line.startswith("http_request")]
