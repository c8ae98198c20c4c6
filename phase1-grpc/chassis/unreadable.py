"""Bytes that are no message get INVALID_ARGUMENT; gRPC by itself would answer UNKNOWN and log a traceback."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from chassis.errors import InvalidArgument
from chassis.interceptor import Context, Continuation, behaviour_of, with_behaviour


class _Unreadable:
    """Stands in for a request that could not be read, until the handler's turn comes to refuse it."""


class RefuseUnreadable(grpc.aio.ServerInterceptor):
    """Refuses requests that do not parse. It stands innermost, so that `ErrorStatus` writes the answer."""

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        behaviour, streaming = behaviour_of(handler), handler.request_streaming

        async def once(request: Any, context: Context) -> Any:
            return await behaviour(_readable(request, streaming=streaming), context)

        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            async with aclosing(behaviour(_readable(request, streaming=streaming), context)) as responses:
                async for response in responses:
                    yield response

        wrapped = stream if inspect.isasyncgenfunction(behaviour) else once
        return with_behaviour(handler, wrapped, _lenient(handler.request_deserializer))


def _lenient(deserializer: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(raw: bytes) -> Any:
        try:
            return deserializer(raw)
        except DecodeError:
            return _Unreadable()

    return read


def _readable(request: Any, *, streaming: bool) -> Any:
    return _each_readable(request) if streaming else _checked(request)


async def _each_readable(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)


def _checked(request: Any) -> Any:
    if isinstance(request, _Unreadable):
        raise InvalidArgument("request", "these bytes are not the message this method takes")
    return request
