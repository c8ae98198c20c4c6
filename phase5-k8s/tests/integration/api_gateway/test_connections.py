"""A connection as a place that somebody holds: what may wait on it, and how long it may stay without a request."""

import asyncio
import contextlib
import time

import httpx
import pytest
from tests.raw import Line, connected, request
from tests.shops import Shop

from tests.waiting import until_async

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = request("GET", "/healthz")
REFUSED_EARLY = request("POST", "/v1/bookings", "Content-Length: 50000", "Authorization: nonsense")
PATIENCE = 10.0  # seconds


async def test_only_so_many_requests_wait_on_one_connection(client: httpx.AsyncClient) -> None:
    async with connected(client) as line:
        await line.send(ASKED * 1000)
        assert await line.status() == 429
        assert await line.is_over()
    async with connected(client) as line:  # the control: one is answered, and eight wait for their turn
        await line.send(ASKED * 9)
        assert [await line.status() for _ in range(9)] == [200] * 9


async def test_who_leaves_is_missed_though_more_was_asked_for_behind_the_stream(shop: Shop) -> None:
    async with shop.gateway(streams_per_address=1) as client:
        stream = request("GET", f"/v1/events/{await shop.event(client)}/availability")

        async def is_free() -> bool:
            async with connected(client) as line:
                await line.send(stream)
                return await line.status() == 200

        async with connected(client) as line:
            await line.send(stream, ASKED)
            assert await line.status() == 200
            assert not await is_free()  # the control
        await until_async(is_free)


async def seconds_held(line: Line, byte: bytes) -> float:
    """How long an answered connection stays open while a byte comes every now and then; PATIENCE if for ever."""
    began = time.monotonic()
    over = asyncio.create_task(line.is_over())
    while not over.done() and time.monotonic() - began < PATIENCE:
        with contextlib.suppress(ConnectionError):
            await line.send(byte)
        await asyncio.wait({over}, timeout=0.3)
    over.cancel()
    return time.monotonic() - began


@pytest.mark.parametrize(("asked", "status"), [(ASKED, 200), (REFUSED_EARLY, 401)], ids=["answered", "refused"])
@pytest.mark.parametrize("byte", [b"", b"\n"], ids=["silent", "trickling"])
async def test_bytes_that_are_no_request_keep_no_connection(shop: Shop, asked: bytes, status: int, byte: bytes) -> None:
    async with shop.gateway(keep_alive=1) as client, connected(client) as line:
        await line.send(asked)
        assert await line.status() == status
        assert await seconds_held(line, byte) < PATIENCE


async def test_a_request_keeps_its_connection_for_as_long_as_it_takes(shop: Shop) -> None:
    """The control: the stream goes on for twice the time that an idle connection gets."""
    async with shop.gateway(keep_alive=1, stream_heartbeat=2) as client, connected(client) as line:
        await line.send(ASKED)
        assert await line.status() == 200
        stream = request("GET", f"/v1/events/{await shop.event(client)}/availability")
        await line.send(b"\r\n", stream[:9])
        await line.send(stream[9:])
        async with asyncio.timeout(20):
            await line.reader.readuntil(b": still here\n\n")
