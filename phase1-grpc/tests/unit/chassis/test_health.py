"""Health: not serving until ready, then as what the service needs; the process stays alive beside it."""

import asyncio
from collections.abc import Mapping, Sequence

import grpc
import pytest
from chassis.interceptor import Context
from chassis.server import NOT_SERVING, SERVING
from structlog.testing import capture_logs
from tests.health import health, says, watching
from tests.words import Word, answers, calling, channel_to, failure, open_call, serving, unary

from tests.waiting import until_async


async def echo(request: Word, _context: Context) -> Word:
    return request


class Dependency:
    """Something that the service needs, there or away."""

    def __init__(self, *, there: bool) -> None:
        self.there = there

    async def ready(self) -> None:
        if not self.there:
            raise ConnectionError("away")


async def test_it_does_not_serve_until_it_is_ready() -> None:
    dependency = Dependency(there=False)
    async with serving(unary(echo), dependency.ready) as server, channel_to(server) as channel:
        assert [await health(channel), await health(channel, "")] == [NOT_SERVING, NOT_SERVING]
        async with watching(channel) as changes:
            assert await anext(changes) == NOT_SERVING
            dependency.there = True
            assert await anext(changes) == SERVING
        await until_async(lambda: says(channel, "", SERVING))


async def test_the_log_says_why_from_the_start_and_once_a_change() -> None:
    dependency = Dependency(there=False)
    with capture_logs() as logs:
        async with serving(unary(echo), dependency.ready) as server, channel_to(server) as channel:
            await until_async(lambda: _told(logs, 1))
            assert await health(channel, "") == NOT_SERVING
            dependency.there = True
            await until_async(lambda: _told(logs, 2))
    told = [(line["event"], line["why"]) for line in logs if "why" in line]
    assert told == [("not ready", "away"), ("ready", "")]


async def _told(logs: Sequence[Mapping[str, object]], times: int) -> bool:
    return sum("why" in line for line in logs) >= times


async def test_the_service_follows_what_it_needs_and_the_process_stays_alive() -> None:
    dependency = Dependency(there=True)
    async with serving(unary(echo), dependency.ready) as server, channel_to(server) as channel:
        await until_async(lambda: says(channel, "", SERVING))
        async with watching(channel) as changes:
            assert await anext(changes) == SERVING
            dependency.there = False
            assert await anext(changes) == NOT_SERVING
            assert await health(channel, "") == SERVING
            dependency.there = True
            assert await anext(changes) == SERVING
            assert await health(channel, "") == SERVING


async def test_health_knows_no_other_service() -> None:
    async with calling(unary(echo)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await health(channel, "test.Other")
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND


async def test_calls_are_answered_also_while_it_is_not_ready() -> None:
    """Not serving is advice to load balancers; a caller who comes anyway gets what can be done."""
    dependency = Dependency(there=False)
    async with serving(unary(echo), dependency.ready) as server, channel_to(server) as channel:
        assert await answers(open_call(channel, "unary_unary", Word(value="still"))) == ["still"]


async def test_a_busy_process_still_says_that_it_lives() -> None:
    """Else whoever runs it would take it for dead, and restart it when it has the most to do."""
    began, may = asyncio.Event(), asyncio.Event()

    async def slow(request: Word, _context: Context) -> Word:
        began.set()
        await may.wait()
        return request

    async with calling(unary(slow), grpc_max_concurrent_calls=1) as channel:
        running = open_call(channel, "unary_unary", Word(value="first"))
        await began.wait()
        refused = await failure(open_call(channel, "unary_unary", Word()))
        await until_async(lambda: says(channel, "", SERVING))
        may.set()
        assert await answers(running) == ["first"]
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
