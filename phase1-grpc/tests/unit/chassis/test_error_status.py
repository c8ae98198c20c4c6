"""Errors become statuses, with details that programs can read, and nothing internal leaks."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from chassis import errors
from chassis.error_status import MAX_TEXT
from chassis.interceptor import Context
from structlog.testing import capture_logs
from tests.refusals import details, retry_delay
from tests.words import KINDS, METHOD, SERVICE, Word, answers, calling, failure, one, open_call, unary

SECRET = "password=hunter2 host=db.internal"


class SoldOut(errors.ResourceExhausted):
    reason = "SOLD_OUT"


REFUSALS = [
    (errors.InvalidArgument("colour", "must be a colour"), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
    (errors.Unauthenticated("who is it"), grpc.StatusCode.UNAUTHENTICATED, "UNSPECIFIED"),
    (errors.PermissionDenied("not you"), grpc.StatusCode.PERMISSION_DENIED, "UNSPECIFIED"),
    (errors.NotFound("no such word"), grpc.StatusCode.NOT_FOUND, "UNSPECIFIED"),
    (errors.AlreadyExists("said before"), grpc.StatusCode.ALREADY_EXISTS, "UNSPECIFIED"),
    (errors.FailedPrecondition("not now"), grpc.StatusCode.FAILED_PRECONDITION, "UNSPECIFIED"),
    (SoldOut("none left"), grpc.StatusCode.RESOURCE_EXHAUSTED, "SOLD_OUT"),
    (errors.Unavailable("soon"), grpc.StatusCode.UNAVAILABLE, "UNSPECIFIED"),
    (errors.ServiceError("of no known kind"), grpc.StatusCode.UNKNOWN, "UNSPECIFIED"),
]


def raising(kind: str, error: Exception, first: str | None = None) -> dict[str, Any]:
    """A service whose one method raises `error`, a streaming one after it said `first`."""

    async def once(request: Any, _context: Context) -> Word:
        await _read(request)
        raise error

    async def stream(request: Any, _context: Context) -> AsyncIterator[Word]:
        await _read(request)
        if first is not None:
            yield Word(value=first)
        raise error

    return one(kind, stream if kind.endswith("stream") else once)


async def _read(request: Any) -> None:
    """Hears a stream to its end: gRPC's client says INTERNAL itself when a call ends that it still writes to."""
    if hasattr(request, "__aiter__"):
        async for _ in request:
            pass


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("error", "code", "reason"), REFUSALS, ids=lambda value: type(value).__name__)
async def test_a_refusal_has_its_code_text_and_reason(
    kind: str, error: errors.ServiceError, code: grpc.StatusCode, reason: str
) -> None:
    async with calling(raising(kind, error)) as channel:
        failed = await failure(open_call(channel, kind, Word()))
    info, _ = details(failed)
    assert (failed.code(), failed.details(), info.reason, info.domain) == (code, str(error), reason, SERVICE)


async def test_an_invalid_argument_names_its_field() -> None:
    async with calling(raising("unary_unary", errors.InvalidArgument("colour", "must be a colour"))) as channel:
        _, bad = details(await failure(open_call(channel, "unary_unary", Word())))
    violations = [(violation.field, violation.description) for violation in bad.field_violations]
    assert violations == [("colour", "must be a colour")]


async def test_only_an_invalid_argument_names_a_field() -> None:
    async with calling(raising("unary_unary", errors.NotFound("no such word"))) as channel:
        _, bad = details(await failure(open_call(channel, "unary_unary", Word())))
    assert not bad.field_violations


@pytest.mark.parametrize(("wait", "told"), [(None, None), (0, 0), (1.2, 2), (60, 60)])
async def test_a_refusal_may_say_when_to_try_again(wait: float | None, told: int | None) -> None:
    error = SoldOut("none left")
    error.retry_after = wait
    async with calling(raising("unary_unary", error)) as channel:
        failed = await failure(open_call(channel, "unary_unary", Word()))
    assert retry_delay(failed) == told


@pytest.mark.parametrize("text", ["çok güzel, 🎫", "two\nlines", "", "100 %20", "x" * MAX_TEXT])
async def test_any_text_arrives_as_it_was_written(text: str) -> None:
    async with calling(raising("unary_unary", errors.NotFound(text))) as channel:
        assert (await failure(open_call(channel, "unary_unary", Word()))).details() == text


@pytest.mark.parametrize("letter", ["x", "🎫"])
async def test_a_long_text_is_cut_and_the_status_arrives(letter: str) -> None:
    """GRPC drops calls with too long headers at random, so one lucky call would prove nothing."""
    error = errors.InvalidArgument("colour", letter * 10_000)
    async with calling(raising("unary_unary", error)) as channel:
        for _ in range(20):
            failed = await failure(open_call(channel, "unary_unary", Word()))
            assert failed.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert failed.details() == f"{str(error)[: MAX_TEXT - 1]}…"


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_a_stream_may_end_in_a_refusal_after_its_first_word(kind: str) -> None:
    async with calling(raising(kind, SoldOut("none left"), first="one")) as channel:
        call = open_call(channel, kind, Word())
        words = aiter(call)
        assert (await anext(words)).value == "one"
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await anext(words)
    assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bug_shows_the_caller_an_id_and_the_log_the_rest(kind: str) -> None:
    with capture_logs() as logs:
        async with calling(raising(kind, RuntimeError(SECRET))) as channel:
            failed = await failure(open_call(channel, kind, Word()))
    assert failed.code() is grpc.StatusCode.INTERNAL
    assert not leaks(failed)
    (line,) = [line for line in logs if line["event"] == "internal error"]
    assert line["method"] == METHOD[kind]
    assert line["error_id"] in (failed.details() or "")
    assert line["exc_info"]


def leaks(error: grpc.aio.AioRpcError) -> bool:
    """Whether anything that the caller gets tells of the exception: its text, its class, where it was raised."""
    sent = repr((error.details(), error.debug_error_string(), list(error.trailing_metadata())))
    return any(word in sent for word in ("hunter2", "db.internal", "RuntimeError", "Traceback", ".py"))


async def test_without_the_interceptor_a_bug_does_leak() -> None:
    """The check above can fail: this is what gRPC does by itself."""
    server = grpc.aio.server()
    methods = raising("unary_unary", RuntimeError(SECRET))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        failed = await failure(open_call(channel, "unary_unary", Word()))
    await server.stop(None)
    assert leaks(failed)


async def test_each_bug_has_an_id_of_its_own() -> None:
    with capture_logs():
        async with calling(raising("unary_unary", RuntimeError(SECRET))) as channel:
            said = {(await failure(open_call(channel, "unary_unary", Word()))).details() for _ in range(5)}
    assert len(said) == 5


async def test_an_answer_that_cannot_be_written_does_not_leak_what_it_is() -> None:
    async def wrong(_request: Word, _context: Context) -> Any:
        return {"hunter2": SECRET}

    async with calling(unary(wrong)) as channel:
        assert not leaks(await failure(open_call(channel, "unary_unary", Word())))


async def test_a_status_that_the_handler_chose_stays() -> None:
    async def choosy(_request: Word, context: Context) -> Word:
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "my own words")
        raise AssertionError("abort raises")

    with capture_logs() as logs:
        async with calling(unary(choosy)) as channel:
            failed = await failure(open_call(channel, "unary_unary", Word()))
    assert (failed.code(), failed.details()) == (grpc.StatusCode.OUT_OF_RANGE, "my own words")
    assert "internal error" not in [line["event"] for line in logs]


async def test_a_handlers_own_timeout_is_a_bug_and_no_deadline() -> None:
    async with calling(raising("unary_unary", TimeoutError("a socket of its own"))) as channel:
        failed = await failure(open_call(channel, "unary_unary", Word()))
    assert failed.code() is grpc.StatusCode.INTERNAL


async def test_the_server_goes_on_after_errors() -> None:
    async def fickle(request: Word, _context: Context) -> Word:
        if request.value == "bad":
            raise RuntimeError(SECRET)
        return request

    async with calling(unary(fickle)) as channel:
        await failure(open_call(channel, "unary_unary", Word(value="bad")))
        assert await answers(open_call(channel, "unary_unary", Word(value="good"))) == ["good"]
