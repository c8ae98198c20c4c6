"""A connection as a place that somebody holds: what may wait on it, and how long it may stay without a request."""

import httpx
import pytest
from tests.raw import connected, request
from tests.shops import Shop

from tests.waiting import until_async

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = request("GET", "/healthz")


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
