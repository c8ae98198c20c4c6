"""Task 2.5: a call that takes no longer than what is left of its caller's deadline."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.one_method import channel_to

METHOD = "/event.EventService/Seats"
SEATS = 42
SLACK = 1.0  # seconds that a busy machine may take before the server looks at its clock
ROUNDED_UP = 1.02  # the wire carries a deadline to three digits or so
PATIENCE = 3.0

CallWithin = Callable[[Any, Any, float, float], Awaitable[Any]]


class Office:
    """Answers how many seats are left; notes how much time each call had when it arrived."""

    def __init__(self) -> None:
        self.told: list[float | None] = []

    async def seats(self, request: StringValue, context: Any) -> Int32Value:
        self.told.append(context.time_remaining())
        if request.value == "none":
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such event")
        return Int32Value(value=SEATS)


class Counted:
    """A stub's method that counts its calls, also those that are over before they leave."""

    def __init__(self, method: Any) -> None:
        self._method = method
        self.calls = 0

    def __call__(self, request: Any, **options: Any) -> Any:
        self.calls += 1
        return self._method(request, **options)


async def check(call_within: CallWithin) -> str:
    """What the server was told of the time, with much and with little left; then nothing left; then an error."""
    office = Office()
    async with _served(office) as method:
        seen = [await _told(call_within, office, method, left, limit) for left, limit in ((60, 2), (3, 30))]
        for late in (0.0, 0.5):
            await _nothing_left(call_within, method, late)
        await _passes_errors(call_within, method)
    return (
        f"60 s left, limit 2 s: the server knew of {seen[0]:.1f} s; 3 s left, limit 30 s: of {seen[1]:.1f} s; nothing "
        "left: no call"
    )


async def _told(call_within: CallWithin, office: Office, method: Any, left: float, limit: float) -> float:
    """The seconds that the server was told of."""
    case = f"{left:g} s are left and the limit is {limit:g} s"
    ends_at = asyncio.get_running_loop().time() + left
    answer = await _awaited(call_within(method, StringValue(value="jazz"), ends_at, limit), case)
    if not isinstance(answer, Int32Value) or answer.value != SEATS:
        raise Wrong(f"{case}: the server answered {SEATS}, call_within gives {answer!r}: return the answer as it came")
    told = office.told[-1]
    if told is None:
        raise Wrong(
            f"{case}: the server was told of no deadline and may work on for nobody; give `timeout=` to the call"
        )
    expected = min(left, limit)
    if not expected - SLACK <= told <= expected * ROUNDED_UP:
        seconds = f"{told:.0f} s" if told < 3600 else "hours"
        raise Wrong(
            f"{case}: the server was told of {seconds}, {expected:g} s are right: what is left, at most the limit"
        )
    return told


async def _nothing_left(call_within: CallWithin, method: Any, late: float) -> None:
    counted = Counted(method)
    over = f"the time was over {late:g} s ago" if late else "not a second is left"
    ends_at = asyncio.get_running_loop().time() - late
    try:
        answer: Any = await call_within(counted, StringValue(value="jazz"), ends_at, 2)
    except (TimeoutError, grpc.aio.AioRpcError) as error:
        answer = error
    if counted.calls:
        raise Wrong(f"{over} and it still called: nobody waits for that answer, do not begin")
    if not isinstance(answer, TimeoutError):
        raise Wrong(f"{over} and call_within gives {answer!r}: raise TimeoutError")


async def _passes_errors(call_within: CallWithin, method: Any) -> None:
    ends_at = asyncio.get_running_loop().time() + 60
    try:
        hidden = await _awaited(
            call_within(method, StringValue(value="none"), ends_at, 2), "an event that is not there"
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return
        raise
    raise Wrong(f"the server said NOT_FOUND, call_within gives {hidden!r}: that error is not yours to hide")


async def _awaited(answer: Awaitable[Any], case: str) -> Any:
    if not isinstance(answer, Awaitable):
        raise Wrong(f"call_within gives {answer!r} and cannot be awaited: it is an `async def`")
    began = time.monotonic()
    try:
        return await asyncio.wait_for(answer, PATIENCE)
    except TimeoutError as error:
        if time.monotonic() - began >= PATIENCE:
            raise Wrong(f"{case}: call_within still waits after {PATIENCE:g} s") from error
        raise Wrong(
            f"{case}, and it raised TimeoutError: `ends_at` is a time of the loop's clock, and what is left is "
            "ends_at - asyncio.get_running_loop().time(), not rounded"
        ) from error


@asynccontextmanager
async def _served(office: Office) -> AsyncIterator[Any]:
    method = grpc.unary_unary_rpc_method_handler(office.seats, StringValue.FromString, Int32Value.SerializeToString)
    async with channel_to(METHOD, method) as channel:
        await asyncio.wait_for(channel.channel_ready(), PATIENCE)
        yield channel.unary_unary(METHOD, StringValue.SerializeToString, Int32Value.FromString)


_LEFT = """\
    left = ends_at - asyncio.get_running_loop().time()
    if left <= 0:
        raise TimeoutError("nothing is left")
"""

TASK = Task(
    id="2.5",
    title="What is left of the deadline",
    names=("call_within",),
    hints=(
        "How many seconds is it from now to `ends_at`? And which clock is `now` on?",
        "left = ends_at - asyncio.get_running_loop().time(). Look before you call. Of two bounds the nearer holds.",
        (
            "When left <= 0: raise TimeoutError with a sentence. Else return the awaited call, with "
            "timeout=min(…) of the two."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer(
            "always the limit",
            code=_LEFT + "    return await call(request, timeout=limit)\n",
            says="the server was told of 30 s, 3 s are right",
        ),
        WrongAnswer(
            "the moment for a duration",
            code="    return await call(request, timeout=ends_at)\n",
            says="60 s are left and the limit is 2 s: the server was told of",
        ),
        WrongAnswer(
            "the farther bound",
            code=_LEFT + "    return await call(request, timeout=max(left, limit))\n",
            says="the server was told of 60 s, 2 s are right",
        ),
        WrongAnswer(
            "a stop-watch around the call",
            code=_LEFT + "    async with asyncio.timeout(min(left, limit)):\n        return await call(request)\n",
            says="the server was told of no deadline",
        ),
        WrongAnswer(
            "calls although nothing is left",
            code="""\
    import grpc

    left = ends_at - asyncio.get_running_loop().time()
    try:
        return await call(request, timeout=min(max(left, 0), limit))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise TimeoutError from error
        raise
""",
            says="it still called",
        ),
        WrongAnswer(
            "another clock",
            code="""\
    import time

    left = ends_at - time.time()
    if left <= 0:
        raise TimeoutError("nothing is left")
    return await call(request, timeout=min(left, limit))
""",
            says="`ends_at` is a time of the loop's clock",
        ),
    ),
)
