"""A real server with one method and a channel to it, for checks that judge a single handler or a single call."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc


@asynccontextmanager
async def channel_to(
    method: str, handler: Any, options: Sequence[tuple[str, Any]] = ()
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server that has only `method`, such as "/board.Board/Watch"; both end with the block."""
    server = grpc.aio.server()
    _, service, name = method.split("/")
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {name: handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            yield channel
    finally:
        await server.stop(grace=0.2)  # with no grace at all, gRPC logs each call that it cuts off
