"""Task 1.5: a server stream that ends when its client leaves. Checked over a real channel."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.wrappers_pb2 import Int32Value

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.one_method import channel_to

METHOD = "/board.Board/Watch"
PATIENCE = 2.0
_END = object()  # told to the board at the end, so that a watcher which stayed behind ends with the check

Watch = Callable[[Any, Any, Any], AsyncIterator[Int32Value]]


async def check(board_class: type[Any], watch: Watch) -> str:
    await _streams(board_class, watch)
    board, sent = board_class(), list[Int32Value]()
    async with _served(board, watch, sent) as start:
        before = asyncio.all_tasks()
        first, second = start(), start()
        await _until(lambda: len(board.watchers) == 2, lambda: f"two clients listen, and {_on(board)}")
        board.tell(5)
        await _read(first, 5)
        await _read(second, 5)
        board.tell(4)
        await _read(first, 4)
        await _read(second, 4)
        await _leave(first, sent, 4)
        await _until(lambda: len(board.watchers) == 1, lambda: f"one of two clients left, and {_on(board)}")
        board.tell(3)
        await _read(second, 3)
        await _leave(second, sent, 5)
        await _until(lambda: not board.watchers, lambda: f"both clients left, and {_on(board)}")
        await _until(lambda: not _running(before), lambda: f"all clients left, and this still runs: {_running(before)}")
    return "both watchers were told, and nothing of them was left behind"


async def _streams(board_class: type[Any], watch: Watch) -> None:
    """An unsolved hole raises here; an answer without yield is told so."""
    if inspect.isasyncgenfunction(watch):
        return
    result: Any = watch(board_class(), Empty(), None)
    if inspect.isawaitable(result):
        await asyncio.wait_for(result, 1)
    raise Wrong("watch has no `yield`: a handler that streams is an async generator")


@asynccontextmanager
async def _served(board: Any, watch: Watch, sent: list[Int32Value]) -> AsyncIterator[Callable[[], Any]]:
    """Serves `watch` and notes what it has sent; gives a function that starts one client's call."""

    async def handler(request: Empty, context: Any) -> AsyncIterator[Int32Value]:
        async for told in watch(board, request, context):
            yield told
            sent.append(told)

    method: Any = grpc.unary_stream_rpc_method_handler(handler, Empty.FromString, Int32Value.SerializeToString)
    async with channel_to(METHOD, method) as channel:
        call: Any = channel.unary_stream(METHOD, Empty.SerializeToString, Int32Value.FromString)
        try:
            yield lambda: call(Empty(), timeout=30)
        finally:
            for queue in [*board.watchers]:
                queue.put_nowait(_END)  # no number: making a message of it raises, and so ends the watcher


async def _read(call: Any, right: int) -> None:
    try:
        message = await asyncio.wait_for(call.read(), PATIENCE)
    except TimeoutError:
        raise Wrong(f"the board told {right}, and a client that listens got nothing") from None
    except grpc.aio.AioRpcError as error:
        raise Wrong(f"the board told {right}, and a client got {error.code().name}: {error.details()}") from None
    if message is grpc.aio.EOF:
        raise Wrong(f"the board told {right}, but the stream had ended while its client still listened")
    if message.value != right:
        raise Wrong(f"the board told {right}, a client that listens got {message.value}")


async def _leave(call: Any, sent: list[Int32Value], number: int) -> None:
    """Cancels when all `number` messages are out: then every handler waits at its `await`, in each run of the check."""
    await _until(lambda: len(sent) >= number, lambda: f"{number} messages are due, {len(sent)} were sent")
    call.cancel()


async def _until(reached: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not reached():
        if loop.time() > end:
            raise Wrong(f"{otherwise()}, after {PATIENCE:g} s")
        await asyncio.sleep(0.01)


def _on(board: Any) -> str:
    return f"board.watchers has {len(board.watchers)}"


def _running(before: set[asyncio.Task[Any]]) -> str:
    """The names of coroutines that run now, did not run before, and are neither gRPC's nor this check's."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks() - before if not task.done()]
    codes = [code for code in (getattr(coroutine, "cr_code", None) for coroutine in coroutines) if code is not None]
    library = str(Path(grpc.__file__).parent)
    mine = [code for code in codes if not code.co_filename.startswith((__file__, library))]
    return ", ".join(sorted(code.co_qualname for code in mine if ".pyx" not in code.co_filename))


TASK = Task(
    id="1.5",
    title="A stream that ends when its client leaves",
    names=("Board", "watch"),
    hints=(
        (
            "Three steps: make an `asyncio.Queue` and add it to `board.watchers`; yield what comes out of it, again "
            "and again; take it off again, however the loop ends."
        ),
        (
            "When the client leaves, CancelledError is raised at the `await` in your loop. Code behind an endless "
            "loop is never reached. Which statement runs its block on every way out?"
        ),
        (
            "`try:` with an endless loop that yields `Int32Value(value=await queue.get())`; `finally:` discards the "
            "queue from `board.watchers`. Catch nothing."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer(
            "cleans up behind the loop",
            code="""\
    queue = asyncio.Queue()
    board.watchers.add(queue)
    while True:
        yield Int32Value(value=await queue.get())
    board.watchers.discard(queue)
""",
            says="one of two clients left, and board.watchers has 2",
        ),
        WrongAnswer(
            "swallows the cancellation",
            code="""\
    queue = asyncio.Queue()
    board.watchers.add(queue)
    try:
        while True:
            try:
                yield Int32Value(value=await queue.get())
            except asyncio.CancelledError:
                pass
    finally:
        board.watchers.discard(queue)
""",
            says="one of two clients left, and board.watchers has 2",
        ),
        WrongAnswer(
            "one message, as in a unary call",
            code="""\
    queue = asyncio.Queue()
    board.watchers.add(queue)
    try:
        yield Int32Value(value=await queue.get())
    finally:
        board.watchers.discard(queue)
""",
            says="the stream had ended while its client still listened",
        ),
        WrongAnswer(
            "starts a task and forgets it",
            code="""\
    queue, fresh = asyncio.Queue(), asyncio.Queue()

    async def forward():
        while True:
            await fresh.put(await queue.get())

    board.watchers.add(queue)
    asyncio.create_task(forward())
    try:
        while True:
            yield Int32Value(value=await fresh.get())
    finally:
        board.watchers.discard(queue)
""",
            says="this still runs: watch.<locals>.forward",
        ),
    ),
)
