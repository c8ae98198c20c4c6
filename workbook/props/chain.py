"""Services in a row, each of which only calls the next; the last one always fails. Counts what arrives there."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import grpc

from workbook.props.one_method import channel_to

_METHOD = "/chain.Link/Call"
_Answer = Callable[[bytes, Any], Awaitable[bytes]]


async def chain(configs: Sequence[str], clicks: int = 1) -> int:
    """How many calls arrive at a service that is down, behind one caller for each of `configs` (gRPC service configs).

    The first caller is the user's: it calls `clicks` times, one call after the other.
    """
    arrived = 0

    async def down(_: bytes, context: Any) -> bytes:
        nonlocal arrived
        arrived += 1
        await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        return b""

    async with AsyncExitStack() as stack:
        answer: _Answer = down
        for config in reversed(configs):
            method: Any = grpc.unary_unary_rpc_method_handler(answer)
            options = [("grpc.service_config", config), ("grpc.use_local_subchannel_pool", 1)]
            channel = await stack.enter_async_context(channel_to(_METHOD, method, options))
            answer = _passing_on(channel)
        call: Any = channel.unary_unary(_METHOD)
        for _ in range(clicks):
            with suppress(grpc.aio.AioRpcError):
                await call(b"", timeout=30)
    return arrived


def _passing_on(channel: grpc.aio.Channel) -> _Answer:
    call: Any = channel.unary_unary(_METHOD)

    async def answer(request: bytes, context: Any) -> bytes:
        try:
            return bytes(await call(request, timeout=30))
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "")
            raise

    return answer
