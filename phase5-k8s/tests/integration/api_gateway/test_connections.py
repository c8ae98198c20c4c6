"""A connection as a place that somebody holds: what may wait on it, and how long it may stay without a request."""

import httpx
import pytest
from tests.raw import connected, request

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
