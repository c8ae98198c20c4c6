"""Deadlines: received, imposed when missing, passed on; streams live as long as their caller wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from chassis import deadlines
from chassis.channel import open_channel
from chassis.interceptor import Call, Context
from tests.words import Word, answers, calling, channel_to, failure, one, open_call, serving, unary

ROUNDED = 1.01  # on the wire gRPC rounds a deadline up to a few digits


async def how_long(_request: Word, _context: Context) -> Word:
    return Word(value=str(deadlines.remaining()))


async def seconds(call: grpc.aio.Call) -> float:
    (said,) = await answers(call)
    return float(said)


class Waiting:
    """A handler that never answers, and tells how it ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __call__(self, _request: Word, _context: Context) -> Word:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        raise AssertionError("nobody sets that event")


async def test_outside_a_call_there_is_no_deadline() -> None:
    assert deadlines.remaining() is None


async def test_whoever_answers_by_another_wire_sets_one_for_its_calls() -> None:
    deadlines.due_in(5)
    assert 4 < (deadlines.remaining() or 0) <= 5
    deadlines.due_in(None)
    assert deadlines.remaining() is None


async def test_a_handler_knows_what_its_caller_asked() -> None:
    async with calling(unary(how_long), deadline_limit=100) as channel:
        # On the wire gRPC rounds a timeout up, by less than one in a hundred.
        assert 0 < await seconds(open_call(channel, "unary_unary", Word(), timeout=50)) <= 50 * 1.01


@pytest.mark.parametrize("asked", [None, 50.0])
async def test_the_limit_holds_where_the_caller_asked_for_more_or_nothing(asked: float | None) -> None:
    async with calling(unary(how_long), deadline_limit=3) as channel:
        assert 0 < await seconds(open_call(channel, "unary_unary", Word(), timeout=asked)) <= 3


class OverAlready:
    """The context of a call that gRPC ends itself, at the moment when its deadline is noticed here."""

    def time_remaining(self) -> float:
        return 0.01

    async def abort(self, *_: object) -> None:
        raise grpc.aio.InternalError("Failed execute_batch")


async def test_a_call_that_grpc_ends_at_the_same_moment_is_no_internal_error() -> None:
    call: Any = Call("/test.Words/unary_unary", False, OverAlready())
    with pytest.raises(asyncio.CancelledError):
        async with deadlines.ServerDeadlines(1).around(call):
            await asyncio.Event().wait()


async def test_a_call_without_a_deadline_ends_at_the_limit() -> None:
    waiting = Waiting()
    async with calling(unary(waiting), deadline_limit=0.1) as channel:
        failed = await failure(open_call(channel, "unary_unary", Word()))
        await waiting.ended.wait()
    assert (failed.code(), failed.details()) == (grpc.StatusCode.DEADLINE_EXCEEDED, "not done within 0.1 s")


async def test_without_the_limit_the_same_call_would_still_wait() -> None:
    """The test above can fail: with a far limit the call has no end."""
    async with calling(unary(Waiting()), deadline_limit=3600, stop_grace=0) as channel:
        call = open_call(channel, "unary_unary", Word())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(call.code()), 0.3)
        call.cancel()


async def test_the_callers_deadline_ends_the_handler_too() -> None:
    waiting = Waiting()
    async with calling(unary(waiting), deadline_limit=3600) as channel:
        await channel.channel_ready()  # else the deadline may pass before the handler is called
        failed = await failure(open_call(channel, "unary_unary", Word(), timeout=1))
        await waiting.ended.wait()
    assert failed.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@asynccontextmanager
async def timekeeper(limit: float) -> AsyncIterator[grpc.aio.Channel]:
    """A channel with this limit to a server that says how long it has."""
    async with (
        serving(unary(how_long), deadline_limit=3600) as server,
        open_channel(f"127.0.0.1:{server.port}", deadline_limit=limit) as channel,
    ):
        yield channel


@pytest.mark.parametrize("asked", [None, 20.0])
async def test_a_second_hop_sees_less_than_the_first(asked: float | None) -> None:
    async with timekeeper(limit=3600) as back:

        async def relay(request: Word, _context: Context) -> Word:
            own = deadlines.remaining()
            await asyncio.sleep(0.5)  # the work of the first hop
            return Word(value=f"{own} {await seconds(open_call(back, 'unary_unary', request))}")

        async with calling(unary(relay), deadline_limit=30) as channel:
            (said,) = await answers(open_call(channel, "unary_unary", Word(), timeout=asked))
    own, theirs = map(float, said.split())
    assert 0 < theirs < own - 0.3 <= (asked or 30)


async def test_a_plain_channel_passes_nothing_on() -> None:
    """The test above can fail: this is what Python's gRPC does by itself."""
    async with serving(unary(how_long), deadline_limit=3600) as back, channel_to(back) as to_back:

        async def relay(request: Word, _context: Context) -> Word:
            return Word(value=(await answers(open_call(to_back, "unary_unary", request)))[0])

        async with calling(unary(relay)) as channel:
            assert await seconds(open_call(channel, "unary_unary", Word(), timeout=5)) > 5


@pytest.mark.parametrize(("asked", "most"), [(None, 70), (20.0, 20), (500.0, 70)])
async def test_a_call_of_our_own_takes_the_shortest_bound(asked: float | None, most: float) -> None:
    async with timekeeper(limit=70) as channel:
        assert most / 2 < await seconds(open_call(channel, "unary_unary", Word(), timeout=asked)) <= most * ROUNDED


async def test_interceptors_of_a_channel_stand_outside_the_deadline() -> None:
    seen: list[float | None] = []

    class Noting(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation, client_call_details, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            seen.append(client_call_details.timeout)
            return await continuation(client_call_details, request)

    async with (
        serving(unary(how_long)) as server,
        open_channel(f"127.0.0.1:{server.port}", deadline_limit=7, interceptors=[Noting()]) as channel,
    ):
        await answers(open_call(channel, "unary_unary", Word()))
    assert seen == [None]


async def three_slowly(_request: Word, _context: Context) -> AsyncIterator[Word]:
    for _ in range(3):
        await asyncio.sleep(0.05)
        yield Word(value=str(deadlines.remaining()))


async def test_a_stream_outlives_the_limit() -> None:
    async with calling(one("unary_stream", three_slowly), deadline_limit=0.05) as channel:
        assert await answers(open_call(channel, "unary_stream", Word())) == ["None"] * 3


async def test_a_stream_ends_at_its_callers_deadline() -> None:
    ended = asyncio.Event()

    async def endless(_request: Word, _context: Context) -> AsyncIterator[Word]:
        try:
            while True:
                yield Word()
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    async with calling(one("unary_stream", endless)) as channel:
        await channel.channel_ready()  # else the deadline may pass before the handler is called
        failed = await failure(open_call(channel, "unary_stream", Word(), timeout=1))
        await ended.wait()
    assert failed.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_stream_knows_its_callers_deadline() -> None:
    async with calling(one("unary_stream", three_slowly), deadline_limit=0.05) as channel:
        said = await answers(open_call(channel, "unary_stream", Word(), timeout=20))
    assert all(0 < float(left) <= 20 * ROUNDED for left in said)


async def test_a_call_out_of_a_stream_without_a_deadline_has_the_channels() -> None:
    async with timekeeper(limit=7) as back:

        async def relay(request: Word, _context: Context) -> AsyncIterator[Word]:
            yield Word(value=str(await seconds(open_call(back, "unary_unary", request))))

        async with calling(one("unary_stream", relay)) as channel:
            assert 0 < await seconds(open_call(channel, "unary_stream", Word())) <= 7 * ROUNDED


async def test_two_calls_at_once_keep_their_own_deadlines() -> None:
    both = asyncio.Barrier(2)

    async def together(_request: Word, _context: Context) -> Word:
        await both.wait()
        return Word(value=str(deadlines.remaining()))

    async with calling(unary(together), deadline_limit=3600) as channel:
        short, long = await asyncio.gather(
            *(seconds(open_call(channel, "unary_unary", Word(), timeout=asked)) for asked in (20, 3000))
        )
    assert short <= 20 < long
