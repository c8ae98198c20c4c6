"""A line passes everything on, late if told so, counts calls, and loses the answers it is told to lose."""

import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from workbook.ports import free_port
from workbook.props.http_served import served
from workbook.props.line import _PREFACE, Line, _heads

METHOD = "/echo.Echo/Call"
RETRY = {
    "maxAttempts": 3,
    "initialBackoff": "0.01s",
    "maxBackoff": "0.1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
RETRIED = json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": RETRY}]})


class Echo:
    def __init__(self) -> None:
        self.calls: list[bytes] = []

    async def answer(self, request: bytes, context: Any) -> bytes:
        del context
        self.calls.append(request)
        return request


@asynccontextmanager
async def over_a_line(echo: Echo, delay: float = 0, config: str = "{}") -> AsyncIterator[tuple[Line, Any]]:
    server = grpc.aio.server()
    handlers = {"Call": grpc.unary_unary_rpc_method_handler(echo.answer)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("echo.Echo", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    with Line(f"127.0.0.1:{port}", delay) as line:
        async with grpc.aio.insecure_channel(line.address, [("grpc.service_config", config)]) as channel:
            yield line, channel.unary_unary(METHOD)
    await server.stop(grace=0.2)


async def test_calls_pass_and_are_counted() -> None:
    async with over_a_line(Echo()) as (line, call):
        wanted = [uuid.uuid4().bytes for _ in range(20)]
        assert [await call(each, timeout=5) for each in wanted] == wanted
        assert line.calls == 20


async def test_a_delay_is_felt_in_both_directions() -> None:
    async with over_a_line(Echo(), delay=0.05) as (_, call):
        await call(b"", timeout=5)
        began = time.monotonic()
        await call(b"", timeout=5)
        assert time.monotonic() - began >= 0.1


async def test_a_lost_answer_is_of_a_call_that_was_made() -> None:
    echo = Echo()
    async with over_a_line(echo) as (line, call):
        await call(b"first", timeout=5)
        line.lose_next_answer()
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call(b"second", timeout=5)
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        assert echo.calls == [b"first", b"second"]
        async with grpc.aio.insecure_channel(line.address, [("grpc.use_local_subchannel_pool", 1)]) as another:
            assert await another.unary_unary(METHOD)(b"third", timeout=5) == b"third"


async def test_a_retry_makes_the_call_a_second_time() -> None:
    echo = Echo()
    async with over_a_line(echo, config=RETRIED) as (line, call):
        await call(b"first", timeout=5)
        line.lose_next_answer()
        assert await call(b"second", timeout=5) == b"second"
        assert echo.calls == [b"first", b"second", b"second"]


async def test_a_dead_server_is_heard_at_once() -> None:
    with Line(f"127.0.0.1:{free_port()}") as line:
        async with grpc.aio.insecure_channel(line.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await channel.unary_unary(METHOD)(b"", timeout=5)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


def test_the_first_call_may_come_in_one_piece_with_the_clients_greeting() -> None:
    settings, call = b"\0\0\0\4\0\0\0\0\0", b"\0\0\1\1\4\0\0\0\1x"
    assert _heads(_PREFACE + settings + call) == _heads(settings + call) == 1


async def test_over_http_too_a_lost_answer_is_of_a_request_that_was_made() -> None:
    asked: list[bytes] = []

    async def answer(request: Request) -> Response:
        asked.append(await request.body())
        return Response(b"done")

    async with served(answer, "/") as address, httpx.AsyncClient(trust_env=False) as client:
        with Line(address) as line:
            assert (await client.post(f"http://{line.address}/", content=b"first")).content == b"done"
            line.lose_next_answer()
            with pytest.raises(httpx.TransportError):
                await client.post(f"http://{line.address}/", content=b"second")
            assert (await client.post(f"http://{line.address}/", content=b"third")).content == b"done"
    assert (asked, line.calls) == ([b"first", b"second", b"third"], 3)
