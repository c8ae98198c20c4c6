"""Task 1.6: a call with a deadline that the server knows too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.one_method import channel_to

METHOD = "/boxoffice.Prices/PriceOf"
PRICE = 9000
SHORT, LONG = 0.5, 5.0  # seconds; on a busy machine, too, a call arrives within the short ones
PATIENCE = 2.0

PriceWithin = Callable[[Any, str, float], Awaitable[int | None]]


class Office:
    """Answers at once, late, or not at all, by seat; notes how much time each call had left when it arrived."""

    def __init__(self) -> None:
        self.left: dict[str, float | None] = {}

    async def price_of(self, request: StringValue, context: Any) -> Int32Value:
        self.left[request.value] = context.time_remaining()
        if request.value == "none":
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such seat")
        await asyncio.sleep(LONG if request.value == "slow" else 0)
        return Int32Value(value=PRICE)


async def check(price_within: PriceWithin) -> str:
    office = Office()
    async with _served(office) as price_of:
        price = await _within_patience(price_within(price_of, "quick", LONG), "the seat that is answered at once")
        if price != PRICE:
            raise Wrong(f"the quick answer is {PRICE}, price_within gives {price!r}")
        late = await _within_patience(price_within(price_of, "slow", SHORT), f"an answer wanted within {SHORT} s")
        if late is not None:
            raise Wrong(f"no answer came within {SHORT} s: None is wanted, not {late!r}")
        if office.left["slow"] is None:
            raise Wrong(
                "the client gave up, but on the server time_remaining() was None: it was told of no deadline. "
                "Give the time to the call itself"
            )
        await _passes_errors(price_within, price_of)
    return f"in time: {PRICE}; too late: None, and the server knew; NOT_FOUND passes through"


async def _passes_errors(price_within: PriceWithin, price_of: Any) -> None:
    try:
        hidden = await _within_patience(price_within(price_of, "none", LONG), "a seat that does not exist")
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return
        raise
    raise Wrong(f"the server said NOT_FOUND, price_within gives {hidden!r}: that error is not yours to hide")


async def _within_patience(answer: Awaitable[int | None], what: str) -> int | None:
    if not isinstance(answer, Awaitable):
        raise Wrong(f"price_within gives {answer!r} and cannot be awaited: it is an `async def`")
    task = asyncio.ensure_future(answer)
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    if not done:
        task.cancel()
        raise Wrong(f"{what}: price_within still waits after {PATIENCE:g} s")
    try:
        return task.result()
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise Wrong(f"{what}: DEADLINE_EXCEEDED comes out of price_within; None is wanted") from None
        raise


@asynccontextmanager
async def _served(office: Office) -> AsyncIterator[Any]:
    method = grpc.unary_unary_rpc_method_handler(office.price_of, StringValue.FromString, Int32Value.SerializeToString)
    async with channel_to(METHOD, method) as channel:
        await asyncio.wait_for(channel.channel_ready(), PATIENCE)
        yield channel.unary_unary(METHOD, StringValue.SerializeToString, Int32Value.FromString)


TASK = Task(
    id="1.6",
    title="A call with a deadline",
    names=("price_within",),
    hints=(
        "Look at how the cells above call with a deadline, and at the exception they catch.",
        "The call takes `timeout=` in seconds. An AioRpcError has `code()`: is it grpc.StatusCode.DEADLINE_EXCEEDED?",
        (
            "`try:` await price_of(StringValue(value=seat), timeout=seconds); `except grpc.aio.AioRpcError`: None "
            "when its code is DEADLINE_EXCEEDED, else a bare `raise`. The answer is a message: return its `.value`."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer(
            "no deadline at all",
            code="""\
    answer = await price_of(StringValue(value=seat))
    return answer.value
""",
            says="price_within still waits after 2 s",
        ),
        WrongAnswer(
            "a stop-watch of its own, which the server does not know",
            code="""\
    import asyncio

    try:
        answer = await asyncio.wait_for(price_of(StringValue(value=seat)), seconds)
    except TimeoutError:
        return None
    return answer.value
""",
            says="it was told of no deadline",
        ),
        WrongAnswer(
            "takes every error for a late answer",
            code="""\
    try:
        answer = await price_of(StringValue(value=seat), timeout=seconds)
    except grpc.aio.AioRpcError:
        return None
    return answer.value
""",
            says="that error is not yours to hide",
        ),
        WrongAnswer(
            "lets the deadline out",
            code="""\
    answer = await price_of(StringValue(value=seat), timeout=seconds)
    return answer.value
""",
            says="DEADLINE_EXCEEDED comes out of price_within",
        ),
    ),
)
