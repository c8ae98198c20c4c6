"""The life of a server: not serving until ready, found by reflection, and an end that lets running calls finish."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace

import grpc
import pytest
from chassis.calls_at_once import CallsAtOnce
from chassis.interceptor import Call, Context
from chassis.server import NOT_SERVING, SERVING, CannotListen, GrpcServer
from chassis.settings import ServiceSettings
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.health import says, watching
from tests.words import (
    SERVICE,
    Word,
    always_ready,
    answers,
    calling,
    channel_to,
    failure,
    one,
    open_call,
    serving,
    unary,
)

from tests.waiting import until_async


async def echo(request: Word, _context: Context) -> Word:
    return request


async def say_once_and_stay(_request: Word, _context: Context) -> AsyncIterator[Word]:
    yield Word(value="here")
    await asyncio.Event().wait()


WATCHED = one("unary_stream", say_once_and_stay)


class Slow:
    """A handler that answers when it may."""

    def __init__(self) -> None:
        self.began, self.may, self.cut = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self, request: Word, _context: Context) -> Word:
        self.began.set()
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.cut.set()
            raise
        return request


async def test_reflection_lists_the_service_and_describes_health() -> None:
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="grpc.health.v1.Health"),
    ]
    async with calling(unary(echo)) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        listed, described = [answer async for answer in stub.ServerReflectionInfo(iter(asked))]
    names = {service.name for service in listed.list_services_response.service}
    assert names == {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    file = FileDescriptorProto.FromString(described.file_descriptor_response.file_descriptor_proto[0])
    assert [service.name for service in file.service] == ["Health"]


async def takes_no_more(server: GrpcServer) -> bool:
    async with channel_to(server) as channel:
        try:
            await says(channel, "", SERVING)
        except grpc.aio.AioRpcError as error:
            return error.code() is grpc.StatusCode.UNAVAILABLE
    return False


async def test_a_graceful_stop_lets_the_running_call_finish() -> None:
    slow = Slow()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(unary(slow), stop_grace=60))
        async with channel_to(server) as channel, watching(channel) as changes:
            while await anext(changes) != SERVING:
                pass
            call = open_call(channel, "unary_unary", Word(value="last"))
            await slow.began.wait()
            stopping = asyncio.create_task(stack.aclose())
            assert await anext(changes) == NOT_SERVING
            await until_async(lambda: takes_no_more(server))
            assert not call.done()
            slow.may.set()
            assert await answers(call) == ["last"]
        await stopping


async def test_a_call_longer_than_the_grace_is_cut_off() -> None:
    slow = Slow()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(unary(slow), stop_grace=0.1))
        async with channel_to(server) as channel:
            call = open_call(channel, "unary_unary", Word())
            await slow.began.wait()
            await stack.aclose()
            assert (await failure(call)).code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
            await slow.cut.wait()


async def test_streams_are_ended_once_it_has_said_that_it_stops() -> None:
    """Before that, a client whose stream has ended would come back to the same server."""
    asked, may = asyncio.Event(), asyncio.Event()

    async def ending() -> None:
        asked.set()
        await may.wait()

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(unary(echo), ending=ending, stop_grace=60))
        async with channel_to(server) as channel, watching(channel) as changes:
            while await anext(changes) != SERVING:
                pass
            stopping = asyncio.create_task(stack.aclose())
            await asked.wait()
            assert await anext(changes) == NOT_SERVING
            assert await answers(open_call(channel, "unary_unary", Word(value="last"))) == ["last"]
            may.set()
        await stopping


async def test_while_it_drains_it_still_takes_calls_and_says_so() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(unary(echo), drain_delay=0.5))
        async with channel_to(server) as channel:
            await until_async(lambda: says(channel, SERVICE, SERVING))
            async with watching(channel) as changes:
                assert await anext(changes) == SERVING
                stopping = asyncio.create_task(stack.aclose())
                assert await anext(changes) == NOT_SERVING
                assert await answers(open_call(channel, "unary_unary", Word(value="late"))) == ["late"]
            await stopping
            with pytest.raises(grpc.aio.AioRpcError):
                await answers(open_call(channel, "unary_unary", Word()))


async def test_the_port_is_free_again_after_the_block_even_when_it_fails() -> None:
    async def fail_inside() -> None:
        async with serving(unary(echo)) as server:
            ports.append(server.port)
            raise LookupError

    ports: list[int] = []
    with pytest.raises(LookupError):
        await fail_inside()
    again = GrpcServer(ServiceSettings(grpc_port=ports[0]), SERVICE)
    async with again.running(always_ready):
        assert again.port == ports[0]


async def test_a_taken_port_is_one_clear_error() -> None:
    async with serving(unary(echo)) as first:
        second = GrpcServer(ServiceSettings(grpc_port=first.port), SERVICE)
        with pytest.raises(
            CannotListen, match=rf"^cannot listen on 127\.0\.0\.1:{first.port}: Address already in use$"
        ):
            async with second.running(always_ready):
                pass


async def test_an_address_of_another_machine_is_said_to_be_so() -> None:
    server = GrpcServer(ServiceSettings(grpc_port=0, grpc_host="192.0.2.1"), SERVICE)
    with pytest.raises(CannotListen, match=r"^cannot listen on 192\.0\.2\.1:0: .* assign requested address$"):
        async with server.running(always_ready):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "localhost"])  # noqa: S104 - for the time of a test
async def test_it_listens_where_it_is_told(host: str) -> None:
    async with serving(unary(echo), grpc_host=host) as server:
        target = host.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - a comparison
        async with grpc.aio.insecure_channel(f"{target}:{server.port}") as channel:
            assert await answers(open_call(channel, "unary_unary", Word(value="here"))) == ["here"]


async def test_by_itself_grpc_would_share_the_port() -> None:
    """The test above can fail: two plain servers on one port both start."""
    first, second = grpc.aio.server(), grpc.aio.server()
    port = first.add_insecure_port("127.0.0.1:0")
    assert second.add_insecure_port(f"127.0.0.1:{port}") == port


async def test_a_message_over_the_limit_is_refused_unread() -> None:
    heard: list[Word] = []

    async def listen(request: Word, _context: Context) -> Word:
        heard.append(request)
        return Word()

    async with calling(unary(listen), grpc_max_message_bytes=1024) as channel:
        failed = await failure(open_call(channel, "unary_unary", Word(value="x" * 2000)))
        assert await answers(open_call(channel, "unary_unary", Word(value="x" * 1000))) == [""]
    assert failed.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(heard) == 1


async def test_more_calls_than_it_may_handle_are_refused_at_once() -> None:
    slow = Slow()
    async with calling(unary(slow), grpc_max_concurrent_calls=1) as channel:
        running = open_call(channel, "unary_unary", Word(value="first"))
        await slow.began.wait()
        refused = await failure(open_call(channel, "unary_unary", Word()))
        slow.may.set()
        assert await answers(running) == ["first"]
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_streams_have_places_of_their_own_and_take_none_of_the_calls() -> None:
    async with calling(WATCHED | unary(echo), grpc_max_concurrent_calls=1, grpc_max_streams=2) as channel:
        streams = [open_call(channel, "unary_stream", Word()) for _ in range(2)]
        for stream in streams:
            await stream.read()
        assert await answers(open_call(channel, "unary_unary", Word(value="sold"))) == ["sold"]
        refused = await failure(open_call(channel, "unary_stream", Word()))
        streams.pop().cancel()

        async def is_free() -> bool:  # the server learns a moment later that one has left
            streams.append(open_call(channel, "unary_stream", Word()))
            try:
                return bool(await streams[-1].read())
            except grpc.aio.AioRpcError:
                return False

        await until_async(is_free)
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_in_one_count_with_calls_a_stream_that_nobody_ends_would_stop_them() -> None:
    """The negative control."""

    class AllTheSame(CallsAtOnce):
        def around(self, call: Call) -> AbstractAsyncContextManager[None]:
            return super().around(replace(call, streams=False))

    together = serving(WATCHED | unary(echo), inside=[AllTheSame(calls=1, streams=2)])
    async with together as server, channel_to(server) as channel:
        await open_call(channel, "unary_stream", Word()).read()
        refused = await failure(open_call(channel, "unary_unary", Word()))
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
