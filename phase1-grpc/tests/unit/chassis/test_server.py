"""The life of a server: not serving until ready, found by reflection, and an end that lets running calls finish."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import pytest
from chassis.interceptor import Context
from chassis.server import NOT_SERVING, SERVING, GrpcServer, PortTaken
from chassis.settings import ServiceSettings
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.words import SERVICE, Word, answers, calling, channel_to, failure, open_call, serving, unary

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


async def health(channel: grpc.aio.Channel, service: str = SERVICE) -> int:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    status: int = answer.status
    return status


@asynccontextmanager
async def watching(channel: grpc.aio.Channel) -> AsyncIterator[AsyncIterator[int]]:
    """The service's health as a stream of changes."""
    call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    try:
        yield (answer.status async for answer in call)
    finally:
        call.cancel()


async def test_it_does_not_serve_until_it_is_ready() -> None:
    dependency = Dependency(there=False)
    async with serving(unary(echo), dependency.ready) as server, channel_to(server) as channel:
        assert [await health(channel), await health(channel, "")] == [NOT_SERVING, NOT_SERVING]
        dependency.there = True
        async with watching(channel) as changes:
            assert [await anext(changes), await anext(changes)] == [NOT_SERVING, SERVING]
        await until_async(lambda: _says(channel, "", SERVING))


async def _says(channel: grpc.aio.Channel, service: str, status: int) -> bool:
    return await health(channel, service) == status


async def test_the_service_follows_what_it_needs_and_the_process_stays_alive() -> None:
    dependency = Dependency(there=True)
    async with serving(unary(echo), dependency.ready) as server, channel_to(server) as channel:
        await until_async(lambda: _says(channel, "", SERVING))
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


async def test_while_it_drains_it_still_takes_calls_and_says_so() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(unary(echo), drain_delay=0.5))
        async with channel_to(server) as channel:
            await until_async(lambda: _says(channel, SERVICE, SERVING))
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
    async with again.running(Dependency(there=True).ready):
        assert again.port == ports[0]


async def test_a_taken_port_is_one_clear_error() -> None:
    async with serving(unary(echo)) as first:
        second = GrpcServer(ServiceSettings(grpc_port=first.port), SERVICE)
        with pytest.raises(PortTaken, match=rf"^cannot listen on 127\.0\.0\.1:{first.port}: "):
            async with second.running(Dependency(there=True).ready):
                pass


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
