"""Availability as it changes: what comes, when it ends, and how many may look on."""

import asyncio
import contextlib
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import httpx
import pytest
from tests.raw import connected, request
from tests.shops import Shop, booking, key

from tests.waiting import until_async

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANY = 10_000


@asynccontextmanager
async def watching(client: httpx.AsyncClient, event_id: str) -> AsyncIterator[AsyncIterator[dict[str, object]]]:
    """The numbers as they come."""
    async with client.stream("GET", f"/v1/events/{event_id}/availability") as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        yield numbers(answer)


async def numbers(answer: httpx.Response) -> AsyncIterator[dict[str, object]]:
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def status_of_a_stream(client: httpx.AsyncClient, event_id: str, stack: AsyncExitStack) -> int:
    answer = await stack.enter_async_context(client.stream("GET", f"/v1/events/{event_id}/availability"))
    return answer.status_code


async def test_a_watcher_sees_every_booking(shop: Shop, client: httpx.AsyncClient) -> None:
    event_id = await shop.event(client, 3)
    async with asyncio.timeout(20), watching(client, event_id) as seen:
        assert await anext(seen) == {"event_id": event_id, "capacity": 3, "available": 3}
        for left in (2, 1, 0):
            made = await client.post("/v1/bookings", json=booking(event_id), headers=shop.headers() | key())
            assert made.status_code == 201
            assert (await anext(seen))["available"] == left


async def test_an_event_that_is_not_there_is_a_404_and_no_stream(client: httpx.AsyncClient) -> None:
    refused = await client.get("/v1/events/9c1e2ab4-3c5f-4a5c-8d0b-6f0d3a1e7b42/availability")
    assert (refused.status_code, refused.json()["reason"]) == (404, "EVENT_NOT_FOUND")


async def test_silence_is_told(shop: Shop) -> None:
    async with shop.gateway(stream_heartbeat=0.05) as client, connected(client) as line:
        await line.send(request("GET", f"/v1/events/{await shop.event(client)}/availability"))
        async with asyncio.timeout(20):
            await line.reader.readuntil(b": still here\n\n")


async def test_streams_of_one_address_are_bounded_and_a_place_is_free_again(shop: Shop) -> None:
    async with shop.gateway(streams_per_address=3) as client, AsyncExitStack() as rest:
        event_id = await shop.event(client)
        async with AsyncExitStack() as first:
            assert [await status_of_a_stream(client, event_id, first) for _ in range(3)] == [200] * 3
            refused = await client.get(f"/v1/events/{event_id}/availability")
            assert (refused.status_code, refused.json()["reason"]) == (429, "TOO_MANY_STREAMS")

        async def is_free() -> bool:  # the server learns a moment later that they have left
            return await status_of_a_stream(client, event_id, rest) == 200

        await until_async(is_free)


async def test_only_so_many_different_events_are_watched(shop: Shop) -> None:
    async with shop.gateway(watched_events=1) as client, AsyncExitStack() as stack:
        first, second = await shop.event(client), await shop.event(client)
        assert [await status_of_a_stream(client, event_id, stack) for event_id in (first, first)] == [200, 200]
        refused = await client.get(f"/v1/events/{second}/availability")
        assert (refused.status_code, refused.json()["reason"]) == (503, "TOO_MANY_EVENTS_WATCHED")


async def test_the_server_ends_though_somebody_looks_on(shop: Shop) -> None:
    """In order: the stream ends, and is not cut off."""
    async with AsyncExitStack() as outside:
        async with shop.gateway(stop_grace=60) as client:
            line = await outside.enter_async_context(connected(client))
            await line.send(request("GET", f"/v1/events/{await shop.event(client)}/availability"))
            assert b"available" in await line.reader.readuntil(b"}\n\n")
        async with asyncio.timeout(20):
            assert (await line.reader.read()).endswith(b"0\r\n\r\n")


async def test_ten_thousand_streams_are_bounded_and_others_are_answered(shop: Shop) -> None:
    async with shop.gateway(streams_per_address=50, connections=600, connections_per_address=500) as client:
        asked = request("GET", f"/v1/events/{await shop.event(client)}/availability")
        with ExitStack() as held:
            answers = await asyncio.to_thread(crowd, client, asked, held)
            assert answers[200] == 50
            assert answers.total() == MANY
            assert answers[503] >= MANY - 500  # the door is shut before anything is read
            assert (await client.get("/healthz")).status_code == 200  # a connection that was there before


def crowd(client: httpx.AsyncClient, asked: bytes, held: ExitStack) -> Counter[int]:
    """The statuses that so many connections get; those of streams stay open until `held` is left."""
    answers: Counter[int] = Counter()
    for _ in range(MANY // 250):
        lines = [socket.create_connection((client.base_url.host, client.base_url.port), 20) for _ in range(250)]
        for line in lines:
            with contextlib.suppress(ConnectionError):
                line.sendall(asked)
        for line in lines:
            held.enter_context(line)
            status = status_on(line)
            answers[status] += 1
            if status == 503:
                line.close()
    return answers


def status_on(line: socket.socket) -> int:
    try:
        return int(line.recv(12)[9:12])
    except ConnectionError:  # it was closed while we wrote
        return 503
