"""The smallest service there is, for tests of the chassis: words in, words out, over real channels."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from chassis.interceptor import Context, Handler
from chassis.server import GrpcServer, nothing_to_end
from chassis.settings import ServiceSettings
from google.protobuf.wrappers_pb2 import StringValue

SERVICE = "test.Words"
Word = StringValue
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
METHOD = {kind: f"/{SERVICE}/{kind}" for kind in KINDS}

Unary = Callable[[Any, Context], Awaitable[Word]]
Streaming = Callable[[Any, Context], AsyncIterator[Word]]


def unary(behaviour: Unary) -> dict[str, Handler]:
    return one("unary_unary", behaviour)


def one(kind: str, behaviour: Unary | Streaming) -> dict[str, Handler]:
    """A service with one method, of this kind, named after it."""
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return {kind: make(behaviour, Word.FromString, Word.SerializeToString)}


async def always_ready() -> None:
    """The readiness of a service that needs nothing."""


@asynccontextmanager
async def serving(
    methods: Mapping[str, Handler],
    ready: Callable[[], Awaitable[object]] = always_ready,
    inside: Sequence[grpc.aio.ServerInterceptor] = (),
    outside: Sequence[grpc.aio.ServerInterceptor] = (),
    ending: Callable[[], Awaitable[object]] = nothing_to_end,
    **settings: Any,
) -> AsyncIterator[GrpcServer]:
    """A running server with the chassis' interceptors around these methods; `settings` are ServiceSettings' own."""
    server = GrpcServer(ServiceSettings(grpc_port=0, **settings), SERVICE, outside=outside, inside=inside)
    server.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, dict(methods)),))
    async with server.running(ready, ending):
        yield server


@asynccontextmanager
async def channel_to(server: GrpcServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel


@asynccontextmanager
async def calling(methods: Mapping[str, Handler], **settings: Any) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a running server with these methods."""
    async with serving(methods, **settings) as server, channel_to(server) as channel:
        yield channel


def open_call(channel: grpc.aio.Channel, kind: str, *requests: Any, raw: bool = False, **options: Any) -> Any:
    """Starts a call of this kind with these requests; `raw` ones are bytes that need not be a message."""
    write = None if raw else Word.SerializeToString
    method = getattr(channel, kind)(METHOD[kind], write, Word.FromString)
    return method(iter(requests) if kind.startswith("stream") else requests[0], **options)


async def answers(call: Any) -> list[str]:
    """All words of a call's answer, however many its kind gives; raises AioRpcError as the call does."""
    if hasattr(call, "__aiter__"):
        return [word.value async for word in call]
    return [(await call).value]


async def failure(call: Any) -> grpc.aio.AioRpcError:
    """How a call that must fail fails."""
    try:
        given = await answers(call)
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError(f"the call succeeded with {given}")
