"""Task 4.1: every request counted once, by the status that its caller gets. Checked over a real channel."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue

from workbook.lesson.task import Task, Wrong
from workbook.props.office import Office
from workbook.props.one_method import channel_to
from workbook.tasks.phase4.wrong_counted import WRONG

METHOD = "/boxoffice.Office/Ask"
SHORT, LONG = (0.1, 0.5, 2.0), 20.0  # seconds
PATIENCE = 2.0
GRACE = 0.1  # seconds in which a count may still come after its handler has ended

ENDINGS = {
    "answer": "the handler answers",
    "abort": "the handler calls context.abort(NOT_FOUND)",
    "rich abort": "the handler calls context.abort_with_status(FAILED_PRECONDITION)",
    "set_code": "the handler calls context.set_code(RESOURCE_EXHAUSTED) and returns",
    "bug": "the handler raises ValueError, a bug",
    "timeout": "the handler raises TimeoutError, of something it waited for",
    "other service": "the handler lets out an AioRpcError with UNAVAILABLE, of a service that it asked",
}
WHY = {
    grpc.StatusCode.OK: "An answer is OK unless the handler chose a code",
    grpc.StatusCode.UNKNOWN: "Whatever leaves a handler and is no abort, the caller is told UNKNOWN",
    grpc.StatusCode.CANCELLED: "A handler whose caller has gone ends with CancelledError, which is no Exception",
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        "That too is a CancelledError; what context.time_remaining() says then tells the two apart. gRPC's clock and "
        "Python's differ by some milliseconds, so do not ask for exactly 0"
    ),
}
CHOSEN = "The handler chose it, and context.code() has it"

Counted = Callable[[Any, Callable[[grpc.StatusCode], None]], Any]


async def check(counted: Counted) -> str:
    """What the caller is told is what must be counted; what leaves the handler must leave its wrapper, too."""
    office = Office(counted)
    with _quiet():
        async with _served(office) as ask:
            for what, said in ENDINGS.items():
                await _judged(office, said, ask(StringValue(value=what), timeout=LONG))
            await _late(office, ask)
            await _cancelled(office, ask, LONG)
            await _cancelled(office, ask, None)
    return f"{len(ENDINGS) + 3} ways to end, each counted once, as its caller was told; nothing was swallowed"


async def _judged(office: Office, what: str, call: Any) -> None:
    """Waits for the end of a call on both sides, then compares what was counted with what its caller was told."""
    await _over(office, what)
    _passed_on(office, what)
    told = await asyncio.wait_for(call.code(), PATIENCE)
    await _noted(office)
    _counted(office, what, told)
    office.forget()


async def _late(office: Office, ask: Any) -> None:
    """On a busy machine a short deadline may pass before the handler is called: then a longer one."""
    for deadline in SHORT:
        call = ask(StringValue(value="slow"), timeout=deadline)
        await call.code()
        if office.began.is_set():
            break
    await _judged(office, f"the caller's deadline, {deadline:g} s, passes while the handler works", call)


async def _cancelled(office: Office, ask: Any, deadline: float | None) -> None:
    """While one caller waits, and then hangs up, another one is answered."""
    caller = f"a caller with a deadline of {deadline:g} s" if deadline else "a caller without a deadline"
    call = ask(StringValue(value="slow"), timeout=deadline)
    await asyncio.wait_for(office.began.wait(), PATIENCE)
    other = ask(StringValue(value="answer"), timeout=LONG)
    await _judged(office, f"{caller} waits, another is answered", other)
    call.cancel()
    await _judged(office, f"{caller} hangs up", call)


def _counted(office: Office, what: str, told: grpc.StatusCode) -> None:
    if not office.counted:
        raise Wrong(f"{what}: its caller was told {told.name}, and nothing was counted. {WHY.get(told, CHOSEN)}")
    if any(not isinstance(code, grpc.StatusCode) for code in office.counted):
        raise Wrong(f"{what}: count was called with {office.counted[0]!r}; it takes a grpc.StatusCode")
    names = [code.name for code in office.counted]
    if len(names) > 1:
        raise Wrong(f"{what}: it was counted {len(names)} times, as {', '.join(names)}. Each request once")
    if office.counted != [told]:
        raise Wrong(f"{what}: its caller was told {told.name}, and {names[0]} was counted. {WHY.get(told, CHOSEN)}")


def _passed_on(office: Office, what: str) -> None:
    """The wrapper must end as the handler did."""
    raised, out = office.raised, office.came_out
    if isinstance(out, NotImplementedError):  # the hole
        raise out
    if raised is None and out is not None:
        raise Wrong(f"{what}: and counted raised {type(out).__name__}: {out}")
    if raised is None and office.returned is not office.answer:
        raise Wrong(f"{what}: and counted returned {office.returned!r}; its caller wants the handler's answer")
    if raised is not None and out is None:
        raise Wrong(
            f"{what}: and counted returned {office.returned!r}, so {type(raised).__name__} was swallowed. To count is "
            "all it is there for: `raise` it again"
        )
    if raised is not out:
        raise Wrong(
            f"{what}: the handler raised {type(raised).__name__}, and counted {type(out).__name__}: {out}. What gRPC "
            "makes of an error hangs on its kind: pass on the same one, with a bare `raise`"
        )


async def _over(office: Office, what: str) -> None:
    try:
        await asyncio.wait_for(office.over.wait(), PATIENCE)
    except TimeoutError:
        raise Wrong(f"{what}: after {PATIENCE:g} s counted has not ended") from None


async def _noted(office: Office) -> None:
    """Returns when something was counted and the loop went round, or when nothing is to be expected any more."""
    with suppress(TimeoutError):
        await asyncio.wait_for(office.noted.wait(), GRACE)
    await asyncio.sleep(0.005)


@asynccontextmanager
async def _served(office: Office) -> AsyncIterator[Callable[..., Any]]:
    _is_a_wrapper(office.call)
    handler = grpc.unary_unary_rpc_method_handler(office.handle, StringValue.FromString, StringValue.SerializeToString)
    async with channel_to(METHOD, handler) as channel:
        await asyncio.wait_for(channel.channel_ready(), PATIENCE)
        yield channel.unary_unary(METHOD, StringValue.SerializeToString, StringValue.FromString)


def _is_a_wrapper(call: Callable[..., Awaitable[Any]]) -> None:
    if not inspect.iscoroutinefunction(call):
        raise Wrong(f"counted returns {call!r}: a handler is wanted, an `async def` that takes request and context")


@contextmanager
def _quiet() -> Iterator[None]:
    """No tracebacks: gRPC logs one for each bug in a handler, and the bugs here are the check's own."""
    logger = logging.getLogger("grpc._cython.cygrpc")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


TASK = Task(
    id="4.1",
    title="Every request counted, as its caller saw it",
    names=("counted",),
    hints=(
        (
            "Write down what can come out of `await call(request, context)`: an answer, AbortError, CancelledError, "
            "any other exception. What is the caller told in each case?"
        ),
        (
            "Four places to count, each behind its own `except`, each with a bare `raise` after it. After an answer "
            "and after an abort ask context.code(), None is OK. After CancelledError ask context.time_remaining(): "
            "None without a deadline, next to nothing when it has passed."
        ),
        (
            "`except asyncio.CancelledError:` left = context.time_remaining(); late = left is not None and left < "
            "0.05; count(DEADLINE_EXCEEDED if late else CANCELLED); raise. `except grpc.aio.AbortError:` "
            "count(context.code()); raise. `except BaseException:` count(UNKNOWN); raise. Then the answer."
        ),
    ),
    check=check,
    wrong=WRONG,
)
