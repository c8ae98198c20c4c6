"""The story of a booking through a real gateway and services; the traces are kept by the local stack's receiver."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.shops import Shop, booking, key
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from tests.waiting import until_async
from workbook.traces.receiver import receiver
from workbook.traces.store import Store

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def traces() -> AsyncIterator[str]:
    """Where a receiver is."""
    server: HTTPServer = receiver(Store())
    (line,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([line])
    yield f"127.0.0.1:{line.getsockname()[1]}"
    server.stop()
    await server.close_all_connections()


async def booked(shop: Shop, client: httpx.AsyncClient, mine: dict[str, str]) -> httpx.Response:
    made = await client.post("/v1/bookings", json=booking(await shop.event(client)), headers=mine | key())
    assert made.status_code == 201
    return made


async def story(client: httpx.AsyncClient, made: httpx.Response, mine: dict[str, str]) -> dict[str, Any]:
    answer = await client.get(f"{made.headers['location']}/story", headers=mine)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_what_has_come_of_the_trace_is_told(shop: Shop, traces: str) -> None:
    telling = {"otel_exporter_otlp_endpoint": f"http://{traces}", "otel_bsp_schedule_delay": 20}
    jaeger = "http://jaeger.example:16686/"
    async with shop.gateway(traces_address=traces, jaeger_url=jaeger, **telling) as client:
        mine = shop.headers()
        made = await booked(shop, client, mine)
        trace_id = made.headers["traceparent"].split("-")[1]

        async def seen() -> bool:
            return (await story(client, made, mine))["missing"] is None

        await until_async(seen)
        found = await story(client, made, mine)
        assert found["booking"] == made.json()
        assert (found["trace_id"], found["trace_url"]) == (trace_id, f"{jaeger}trace/{trace_id}")
        assert [(step["name"], step["answer"]) for step in found["steps"]] == [("gateway", "201")]
        assert found["spans"][0]["name"] == "POST /v1/bookings"
        # The services of this test send no spans, and nothing is made up for them.
        assert (found["message"]["sent"], found["counted"]) == (False, False)


@pytest.mark.parametrize(
    ("where", "missing"), [("", "NO_TRACE_STORE"), ("127.0.0.1:1", "TRACE_STORE_AWAY"), ("here", "NO_TRACE")]
)
async def test_what_cannot_be_seen_is_null_and_never_no(shop: Shop, traces: str, where: str, missing: str) -> None:
    async with shop.gateway(traces_address=traces if where == "here" else where) as client:
        mine = shop.headers()
        made = await booked(shop, client, mine)
        found = await story(client, made, mine)
    nothing = dict.fromkeys(("trace_id", "trace_url", "steps", "spans", "message", "counted"))
    assert found == {"booking": made.json(), **nothing, "missing": missing}


async def test_the_story_of_somebody_elses_booking_is_not_there(shop: Shop, client: httpx.AsyncClient) -> None:
    made = await booked(shop, client, shop.headers())
    path = f"{made.headers['location']}/story"
    for headers, status in ((shop.headers(), 404), ({}, 401)):
        assert (await client.get(path, headers=headers)).status_code == status
