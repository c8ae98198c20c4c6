"""Bytes that are no message are the caller's mistake: INVALID_ARGUMENT, and the handler is not called."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from chassis.interceptor import Context
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from tests.words import KINDS, SERVICE, Word, answers, calling, channel_to, failure, one, open_call, serving

GARBAGE = [
    pytest.param(b"\xff\xff\xff", id="no tag"),
    pytest.param(b"\x0a\x05abc", id="cut short"),
    pytest.param(b"\x0a\x02\xff\xfe", id="no UTF-8"),
    pytest.param(b"\x07", id="wire type 7"),
    pytest.param(b"\x0a\xff\xff\xff\xff\x7f", id="a length of 34 GB"),
]


class Listening:
    """Handlers of every kind that note what they were given."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def once(self, request: Any, _context: Context) -> Word:
        async for word in each(request):
            self.heard.append(word.value)
        return Word(value="fine")

    async def stream(self, request: Any, _context: Context) -> AsyncIterator[Word]:
        async for word in each(request):
            self.heard.append(word.value)
            yield word

    def of(self, kind: str) -> Any:
        return one(kind, self.stream if kind.endswith("stream") else self.once)


async def each(request: Any) -> AsyncIterator[Word]:
    if isinstance(request, Word):
        yield request
    else:
        async for word in request:
            yield word


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", GARBAGE)
async def test_garbage_is_an_invalid_argument(kind: str, raw: bytes) -> None:
    listening = Listening()
    with capture_logs() as logs:
        async with calling(listening.of(kind)) as channel:
            failed = await failure(open_call(channel, kind, raw, raw=True))
    assert failed.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (failed.details() or "").startswith("request: ")
    assert listening.heard == []
    assert "internal error" not in [line["event"] for line in logs]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_garbage_in_the_middle_of_a_stream_ends_it_there(kind: str) -> None:
    listening = Listening()
    good = Word(value="good").SerializeToString()
    async with calling(listening.of(kind)) as channel:
        failed = await failure(open_call(channel, kind, good, b"\xff", good, raw=True))
    assert failed.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert listening.heard == ["good"]


async def test_without_the_interceptor_garbage_is_unknown() -> None:
    """The tests above can fail: this is what gRPC does by itself."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, Listening().of("unary_unary")),),
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        failed = await failure(open_call(channel, "unary_unary", b"\xff", raw=True))
    await server.stop(None)
    assert failed.code() is not grpc.StatusCode.INVALID_ARGUMENT


async def test_a_method_that_takes_bytes_gets_them_as_they_are() -> None:
    async def raw(request: bytes, _context: Context) -> bytes:
        return request

    async with calling({"unary_unary": grpc.unary_unary_rpc_method_handler(raw)}) as channel:
        method: Any = channel.unary_unary(f"/{SERVICE}/unary_unary")
        assert await method(b"\xff\xff") == b"\xff\xff"


@settings(max_examples=20)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=30))
@example([b""])
def test_no_bytes_at_all_are_a_bug(requests: list[bytes]) -> None:
    async def send() -> set[grpc.StatusCode]:
        async with serving(Listening().of("unary_unary")) as server, channel_to(server) as channel:
            calls = [open_call(channel, "unary_unary", raw, raw=True) for raw in requests]
            return {await call.code() for call in calls}

    assert asyncio.run(send()) <= {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}


async def test_an_empty_request_is_a_message() -> None:
    async with calling(Listening().of("unary_unary")) as channel:
        assert await answers(open_call(channel, "unary_unary", b"", raw=True)) == ["fine"]
