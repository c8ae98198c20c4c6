"""A handler that ends in every way a handler can, and what somebody who stands around it makes of that."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import status_pb2
from grpc_status import rpc_status

LAG = 0.004  # seconds: by so much the two clocks were seen to differ, in one deadline of fifteen


class Office:
    """Wraps its handler by `around(handler, count)`. Notes how the handler ended, and how the wrapper did."""

    def __init__(self, around: Callable[[Any, Callable[[grpc.StatusCode], None]], Any]) -> None:
        self.answer = StringValue(value="two seats, row 7")
        self.counted: list[Any] = []
        self.call: Callable[[StringValue, Any], Awaitable[Any]] = around(self._work, self._count)
        self.forget()

    def forget(self) -> None:
        """Before the next call that is to be looked at."""
        self.counted.clear()
        self.began = asyncio.Event()
        self.noted = asyncio.Event()
        self.over = asyncio.Event()
        self.raised: BaseException | None = None
        self.came_out: BaseException | None = None
        self.returned: Any = None

    async def handle(self, request: StringValue, context: Any) -> Any:
        """What gRPC calls."""
        try:
            self.returned = await self.call(request, Lagging(context))
        except BaseException as error:  # noqa: BLE001 - a cancellation is what is looked for; raised again below
            self.came_out = error
        self.over.set()
        # The caller gets what the handler made, whatever the wrapper has done to it.
        if (ended := self.raised or self.came_out) is not None:
            raise ended
        return self.answer

    def _count(self, code: Any) -> None:
        self.counted.append(code)
        self.noted.set()

    async def _work(self, request: StringValue, context: Any) -> StringValue:
        self.began.set()
        try:
            await self._end(request.value, context)
        except BaseException as error:
            self.raised = error
            raise
        return self.answer

    async def _end(self, how: str, context: Any) -> None:
        if how == "abort":
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such event")
        if how == "rich abort":
            sold_out = status_pb2.Status(code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message="sold out")
            await context.abort_with_status(rpc_status.to_status(sold_out))
        if how == "set_code":
            context.set_code(grpc.StatusCode.RESOURCE_EXHAUSTED)
        if how == "slow":
            await asyncio.sleep(60)
        if how in _RAISED:
            error = _RAISED[how]()
            raise error


class Lagging:
    """gRPC's own context, whose clock is a little behind each time and not only now and then."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def time_remaining(self) -> float | None:
        left: float | None = self._context.time_remaining()
        return None if left is None else left + LAG


def _unavailable() -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())


_RAISED: dict[str, Callable[[], BaseException]] = {
    "bug": lambda: ValueError("a bug"),
    "timeout": lambda: TimeoutError("the database did not answer"),
    "other service": _unavailable,
}
