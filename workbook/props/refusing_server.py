"""A server that refuses every call and counts how often it came: what a retry policy really sends."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue


class Refusing(grpc.GenericRpcHandler):
    """Answers every method with `status`; `attempts` counts what arrived, by the method's full name."""

    def __init__(self, status: grpc.StatusCode) -> None:
        self.attempts: Counter[str] = Counter()
        self._status = status

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        async def refuse(_: StringValue, context: Any) -> StringValue:
            self.attempts[handler_call_details.method] += 1
            await context.abort(self._status, "this server refuses everything")
            raise AssertionError("abort always raises")

        return grpc.unary_unary_rpc_method_handler(refuse, StringValue.FromString, StringValue.SerializeToString)


@asynccontextmanager
async def refusing(status: grpc.StatusCode, service_config: str) -> AsyncIterator[tuple[Refusing, grpc.aio.Channel]]:
    """The server and a channel with this config, on a port of their own: gRPC throttles retries by address."""
    handler, server = Refusing(status), grpc.aio.server()
    server.add_generic_rpc_handlers([handler])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        async with grpc.aio.insecure_channel(address, [("grpc.service_config", service_config)]) as channel:
            # No channel_ready(): with a config that gRPC refuses it never comes, and the process would not end.
            yield handler, channel
    finally:
        await server.stop(grace=0.2)


async def call(channel: grpc.aio.Channel, method: str, patience: float) -> grpc.aio.AioRpcError:
    """One call of at most `patience` seconds, with whatever retries the channel makes of it, and how it ended."""
    to_server: Any = channel.unary_unary(method, StringValue.SerializeToString)
    try:
        await to_server(StringValue(), timeout=patience)
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the server refuses everything")
