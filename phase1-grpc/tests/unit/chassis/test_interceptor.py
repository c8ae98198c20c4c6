"""`Around` stands around every kind of call: entered before the handler, left after its last word, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from chassis.interceptor import Around, Call, Context, Handler
from tests.words import KINDS, METHOD, Word, answers, calling, failure, one, open_call


class Diary(Around):
    """Writes down what happens around each call."""

    def __init__(self, lines: list[str], name: str = "around") -> None:
        self.lines = lines
        self._name = name
        self.left = asyncio.Event()

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        self.lines.append(f"{self._name} enters {call.method}{' as a stream' if call.streams else ''}")
        try:
            yield
        finally:
            self.lines.append(f"{self._name} leaves")
            self.left.set()


async def words_of(request: Any) -> list[str]:
    return [word.value async for word in request] if hasattr(request, "__aiter__") else [request.value]


def echo(kind: str, lines: list[str]) -> dict[str, Handler]:
    async def once(request: Any, _context: Context) -> Word:
        lines.append("handler")
        return Word(value=" ".join(await words_of(request)))

    async def stream(request: Any, _context: Context) -> AsyncIterator[Word]:
        for word in await words_of(request):
            lines.append("handler")
            yield Word(value=word)

    return one(kind, stream if kind.endswith("stream") else once)


@pytest.mark.parametrize("kind", KINDS)
async def test_it_stands_around_every_kind_of_call(kind: str) -> None:
    lines: list[str] = []
    async with calling(echo(kind, lines), inside=[Diary(lines)]) as channel:
        said = await answers(open_call(channel, kind, Word(value="one")))
    streams = "" if kind == "unary_unary" else " as a stream"
    assert said == ["one"]
    assert lines == [f"around enters {METHOD[kind]}{streams}", "handler", "around leaves"]


async def test_it_leaves_a_stream_after_its_last_word() -> None:
    lines: list[str] = []
    async with calling(echo("stream_stream", lines), inside=[Diary(lines)]) as channel:
        words = [Word(value=text) for text in ("one", "two", "three")]
        assert await answers(open_call(channel, "stream_stream", *words)) == ["one", "two", "three"]
    assert lines[1:] == ["handler", "handler", "handler", "around leaves"]


async def test_the_first_given_stands_outside() -> None:
    lines: list[str] = []
    diaries = [Diary(lines, "outer"), Diary(lines, "inner")]
    async with calling(echo("unary_unary", lines), inside=diaries) as channel:
        await answers(open_call(channel, "unary_unary", Word()))
    assert [line.split(" /")[0] for line in lines] == [
        "outer enters",
        "inner enters",
        "handler",
        "inner leaves",
        "outer leaves",
    ]


async def test_a_method_that_is_not_there_is_unimplemented() -> None:
    lines: list[str] = []
    async with calling(echo("unary_unary", lines), inside=[Diary(lines)]) as channel:
        failed = await failure(open_call(channel, "unary_stream", Word()))
    assert (failed.code(), lines) == (grpc.StatusCode.UNIMPLEMENTED, [])


async def test_a_handler_may_write_its_stream_itself() -> None:
    lines: list[str] = []

    async def writing(request: Word, context: Context) -> None:
        await context.write(Word(value=request.value))
        await context.write(Word(value=request.value))

    handlers = {"unary_stream": grpc.unary_stream_rpc_method_handler(writing, Word.FromString, Word.SerializeToString)}
    async with calling(handlers, inside=[Diary(lines)]) as channel:
        assert await answers(open_call(channel, "unary_stream", Word(value="two"))) == ["two", "two"]
    assert lines[-1] == "around leaves"


class Parked:
    """Handlers that stop in the middle, and tell when they began and that they cleaned up."""

    def __init__(self) -> None:
        self.began, self.cleaned = asyncio.Event(), asyncio.Event()

    async def once(self, _request: Any, _context: Context) -> Word:
        await self._park()
        return Word()

    async def stream(self, _request: Any, _context: Context) -> AsyncIterator[Word]:
        yield Word(value="first")
        await self._park()

    async def flood(self, _request: Any, _context: Context) -> AsyncIterator[Word]:
        """Stops in `yield`: nobody reads, so gRPC takes no more."""
        try:
            while True:
                self.began.set()
                yield Word(value="x" * 60_000)
        finally:
            self.cleaned.set()

    async def _park(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cleaned.set()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_caller_who_hangs_up_ends_the_handler_and_what_stands_around_it(kind: str) -> None:
    parked, diary = Parked(), Diary([])
    handler = one(kind, parked.stream if kind.endswith("stream") else parked.once)
    async with calling(handler, inside=[diary], deadline_limit=3600) as channel:
        call = open_call(channel, kind, Word())
        await parked.began.wait()
        assert not parked.cleaned.is_set()
        call.cancel()
        await parked.cleaned.wait()
        await diary.left.wait()
    assert diary.lines[-1] == "around leaves"


async def test_a_stream_that_waits_for_its_reader_is_cleaned_up_too() -> None:
    parked, diary = Parked(), Diary([])
    async with calling(one("unary_stream", parked.flood), inside=[diary]) as channel:
        call = open_call(channel, "unary_stream", Word())
        await parked.began.wait()
        await anext(aiter(call))
        call.cancel()
        await parked.cleaned.wait()
        await diary.left.wait()


async def test_a_client_stream_that_is_cut_off_ends_the_handler() -> None:
    parked = Parked()

    async def one_word_then_silence() -> AsyncIterator[Word]:
        yield Word(value="one")
        await asyncio.Event().wait()

    async def reading(requests: Any, _context: Context) -> AsyncIterator[Word]:
        try:
            async for word in requests:
                parked.began.set()
                yield word
        finally:
            parked.cleaned.set()

    async with calling(one("stream_stream", reading)) as channel:
        method = channel.stream_stream(METHOD["stream_stream"], Word.SerializeToString, Word.FromString)
        call = method(one_word_then_silence())
        await parked.began.wait()
        call.cancel()
        await parked.cleaned.wait()
