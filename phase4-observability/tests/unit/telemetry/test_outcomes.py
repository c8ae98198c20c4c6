"""However a call ends, both sides count it once, under the code that its caller gets, and nothing stays in flight."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from chassis.errors import NotFound
from chassis.interceptor import Around, Call, Context
from telemetry.outcome import ended_with
from tests.observed import METHODS, Observed, observed
from tests.words import KINDS, METHOD, SERVICE, Word, answers, failure, one, open_call

from tests.waiting import until_async
from workbook.ports import free_port


async def first_of(requests: Any) -> str:
    if not hasattr(requests, "__aiter__"):
        return str(requests.value)
    async for word in requests:
        return str(word.value)
    return ""


async def behave(request: Any, context: Context) -> Word:
    """Does what the first word says."""
    match await first_of(request):
        case "refuse":
            raise NotFound("no such word")
        case "abort":
            await context.abort(grpc.StatusCode.DATA_LOSS, "gone")
        case "bug":
            raise ZeroDivisionError
        case "hang":
            await asyncio.Event().wait()
        case "set":
            context.set_code(grpc.StatusCode.OUT_OF_RANGE)
        case "set, then bug":
            context.set_code(grpc.StatusCode.OUT_OF_RANGE)
            raise ZeroDivisionError
    return Word(value="done")


async def behave_in_a_stream(request: Any, context: Context) -> AsyncIterator[Word]:
    yield Word(value="first")
    yield await behave(request, context)


def handlers(kind: str) -> dict[str, Any]:
    return one(kind, behave_in_a_stream if kind.endswith("stream") else behave)


async def settled(system: Observed, kind: str, code: str) -> None:
    """Returns once both sides have counted one call with this code; fails with what they did count."""

    async def both() -> bool:
        return bool(await system.ended("server", kind)) and bool(await system.ended("client", kind))

    await until_async(both)
    assert await system.ended("client", kind) == await system.ended("server", kind) == {code: 1}
    assert await system.in_flight() == 0


ENDS = {
    "answer": "OK",
    "refuse": "NOT_FOUND",
    "abort": "DATA_LOSS",
    "bug": "INTERNAL",
    "set": "OUT_OF_RANGE",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("word", "code"), ENDS.items())
async def test_each_end_is_counted_under_its_code(kind: str, word: str, code: str) -> None:
    async with observed(handlers(kind)) as system:
        call = open_call(system.channel, kind, Word(value=word))
        if code == "OK":
            await answers(call)
        else:
            assert (await failure(call)).code().name == code
        await settled(system, kind, code)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_caller_who_hangs_up_is_counted_as_cancelled(kind: str) -> None:
    async with observed(handlers(kind)) as system:
        call = open_call(system.channel, kind, Word(value="hang"))

        async def under_way() -> bool:
            return await system.in_flight() == 2

        if kind.endswith("stream"):
            await anext(aiter(call))
        await until_async(under_way)
        call.cancel()
        await settled(system, kind, "CANCELLED")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_deadline_is_counted_as_one(kind: str) -> None:
    async with observed(handlers(kind)) as system:
        call = open_call(system.channel, kind, Word(value="hang"), timeout=1)
        assert (await failure(call)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await settled(system, kind, "DEADLINE_EXCEEDED")


async def test_a_task_that_is_cancelled_ends_the_call_at_the_server_too() -> None:
    """Interceptors that wait for the answer leave the server working for nobody: here it is told."""
    async with observed(handlers("unary_unary")) as system:
        waiting = asyncio.create_task(answers(open_call(system.channel, "unary_unary", Word(value="hang"))))

        async def under_way() -> bool:
            return await system.in_flight() == 2

        await until_async(under_way)
        waiting.cancel()
        await settled(system, "unary_unary", "CANCELLED")


async def test_bytes_that_are_no_message_are_counted() -> None:
    async with observed(handlers("unary_unary")) as system:
        call = open_call(system.channel, "unary_unary", b"\xff", raw=True)
        assert (await failure(call)).code() is grpc.StatusCode.INVALID_ARGUMENT
        await settled(system, "unary_unary", "INVALID_ARGUMENT")


async def test_a_server_that_is_away_is_counted_by_its_caller() -> None:
    async with observed(handlers("unary_unary"), port=free_port()) as system:
        assert (await failure(open_call(system.channel, "unary_unary", Word()))).code() is grpc.StatusCode.UNAVAILABLE
        assert (await system.ended("client"), await system.ended("server")) == ({"UNAVAILABLE": 1}, {})


@pytest.mark.parametrize("path", ["/other.Service/Method", f"/{SERVICE}/{'x' * 2000}", f"/{SERVICE}/ünïcödé\n"])
async def test_a_method_that_is_not_known_makes_no_series(path: str) -> None:
    async with observed(handlers("unary_unary")) as system:
        before = set(await system.figures())
        call: Callable[[bytes], Awaitable[bytes]] = system.channel.unary_unary(path)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"")
        found = await system.figures()
        assert set(found) == before
        side = 'grpc_requests_total{code="%s",method="other",side="%s"}'
        assert found[side % (refused.value.code().name, "client")] == 1
        if refused.value.code() is grpc.StatusCode.UNIMPLEMENTED:  # else it never left
            assert found[side % ("UNIMPLEMENTED", "server")] == 1


@pytest.mark.parametrize(
    ("word", "chosen", "code"),
    [("bug", None, "UNKNOWN"), ("set, then bug", grpc.StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE")],
)
async def test_a_bug_is_what_its_caller_is_told(word: str, chosen: grpc.StatusCode | None, code: str) -> None:
    """Without the chassis around it. The control: what the context alone says of a bug to an interceptor."""
    seen: list[Any] = []

    class Naive(Around):
        @asynccontextmanager
        async def around(self, call: Call) -> AsyncIterator[None]:
            try:
                yield
            except ZeroDivisionError as error:
                seen.append((call.context.code(), ended_with(call.context, error)))
                raise

    naive = grpc.aio.server(interceptors=[Naive()])
    naive.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers("unary_unary")),))
    port = naive.add_insecure_port("127.0.0.1:0")
    await naive.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        told = (await failure(open_call(channel, "unary_unary", Word(value=word)))).code()
    await naive.stop(0)
    assert (told.name, seen) == (code, [(chosen, code)])


def test_every_method_of_the_service_is_known() -> None:
    assert METHODS.name(METHOD["stream_stream"]) == f"{SERVICE}/stream_stream"
    assert METHODS.name(b"/\xff\xfe") == "other"
