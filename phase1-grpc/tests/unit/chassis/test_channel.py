"""A channel to a server that is away: it keeps looking. One to a server that is there goes straight to it."""

import asyncio

import grpc
import pytest
from chassis.channel import open_channel
from tests.words import Word, answers, channel_to, open_call, serving, unary

from tests.waiting import until_async

OFTEN = 8  # by gRPC's own defaults the eighth look would come after 40 s, and after an hour's outage one in two minutes


async def test_a_server_that_is_away_is_looked_for_every_second() -> None:
    looks = 0

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal looks
        looks += 1
        writer.close()

    async def often() -> bool:
        channel.get_state(try_to_connect=True)
        return looks >= OFTEN

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as nobody:
        host, port = nobody.sockets[0].getsockname()
        async with open_channel(f"{host}:{port}", deadline_limit=1) as channel:
            await until_async(often, patience=15)


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_tcp_port}")  # nobody is there

    async def echo(request: Word, _context: object) -> Word:
        return request

    async with serving(unary(echo)) as server:
        async with open_channel(f"127.0.0.1:{server.port}", deadline_limit=20) as channel:
            assert await answers(open_call(channel, "unary_unary", Word(value="straight"))) == ["straight"]
        async with channel_to(server) as channel:  # the negative control
            with pytest.raises(grpc.aio.AioRpcError):
                await answers(open_call(channel, "unary_unary", Word()))
