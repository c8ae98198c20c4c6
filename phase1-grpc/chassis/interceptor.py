"""One way to stand around a call, whatever its kind: subclass `Around` and write one context manager."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as an interceptor sees it; `method` is the full name, such as `/booking.BookingService/GetBooking`.

    `request` is the message, or the stream of them; bytes that were no message stand there as something else.
    """

    method: str
    streams: bool
    context: Context
    request: Any = None


class Around(grpc.aio.ServerInterceptor):
    """A server interceptor that wraps all four kinds of RPC in the one context manager `around`."""

    def around(self, call: Call) -> AbstractAsyncContextManager[None]:
        """Enter before the handler runs, leave after its last response; exceptions of the handler pass through."""
        raise NotImplementedError

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:  # no such method: gRPC itself answers UNIMPLEMENTED
            return None
        return with_behaviour(handler, self._wrapped(handler, handler_call_details.method))

    def _wrapped(self, handler: Handler, method: str) -> Callable[[Any, Context], Any]:
        behaviour = behaviour_of(handler)
        streams = handler.request_streaming or handler.response_streaming

        async def once(request: Any, context: Context) -> Any:
            async with self.around(Call(method, streams, context, request)):
                return await behaviour(request, context)

        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            call = Call(method, streams, context, request)
            async with self.around(call), aclosing(behaviour(request, context)) as responses:
                async for response in responses:
                    yield response

        # A streaming handler may also be a coroutine that calls context.write(), as the health service's Watch does.
        return stream if inspect.isasyncgenfunction(behaviour) else once


def behaviour_of(handler: Handler) -> Callable[[Any, Context], Any]:
    """The function behind a method handler: gRPC keeps it under one of four names, by kind of RPC."""
    kind = (handler.request_streaming, handler.response_streaming)
    functions: dict[tuple[bool, bool], Any] = {
        (False, False): handler.unary_unary,
        (False, True): handler.unary_stream,
        (True, False): handler.stream_unary,
        (True, True): handler.stream_stream,
    }
    behaviour: Callable[[Any, Context], Any] = functions[kind]
    return behaviour


def with_behaviour(
    handler: Handler, behaviour: Callable[[Any, Context], Any], deserializer: Callable[[bytes], Any] | None = None
) -> Handler:
    """The same method handler with another function behind it and, if given, another reader of requests."""
    make: dict[tuple[bool, bool], Callable[..., Any]] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    wrapped: Handler = make[handler.request_streaming, handler.response_streaming](
        behaviour, deserializer or handler.request_deserializer, handler.response_serializer
    )
    return wrapped
