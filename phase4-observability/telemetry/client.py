"""Stands around every request that this process makes: counts it, times it, makes its span, and sends it along.

contrib's interceptors for grpc.aio wait for the answer and so stand in the way of cancellation: the server would go on
with what nobody waits for any more. These wait for nothing: gRPC tells them when a call has ended.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from telemetry.requests import Requests
from telemetry.spans import Spans, carrying

Continuation = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]]


class _Asked:
    """One request, from its first moment to its last."""

    __slots__ = ("_began", "_method", "_requests", "_span", "details")

    def __init__(self, requests: Requests, spans: Spans, details: grpc.aio.ClientCallDetails) -> None:
        self._requests = requests
        self._method = requests.name(details.method)
        self._span = spans.client(self._method)
        self.details = carrying(details, self._span.span)
        requests.begin(self._method)
        self._began = time.perf_counter()

    def end(self, code: str) -> None:
        self._requests.end(self._method, code, time.perf_counter() - self._began, self._span.trace_id)
        self._span.end(code)

    def ended(self, call: Any) -> None:
        """What gRPC calls when the call has ended, however it did."""
        self.end(_code_of(call))


class _Interceptor:
    def __init__(self, requests: Requests, spans: Spans) -> None:
        self._requests = requests
        self._spans = spans

    async def _asked(self, continuation: Continuation, details: grpc.aio.ClientCallDetails, request: Any) -> Any:
        asked = _Asked(self._requests, self._spans, details)
        try:
            call = await continuation(asked.details, request)
        except BaseException as error:  # it has ended before it began
            asked.end(error.code().name if isinstance(error, grpc.aio.AioRpcError) else "CANCELLED")
            raise
        call.add_done_callback(asked.ended)
        return call


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._asked(continuation, client_call_details, request)


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._asked(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._asked(continuation, client_call_details, request_iterator)


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._asked(continuation, client_call_details, request_iterator)


def client_telemetry(requests: Requests, spans: Spans) -> list[grpc.aio.ClientInterceptor]:
    """One for each kind of call: gRPC wants them apart."""
    return [kind(requests, spans) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]


def _code_of(call: Any) -> str:
    """The status of a call that has ended: it is there, and asking for it waits for nothing."""
    asking = call.code()
    try:
        asking.send(None)
    except StopIteration as answer:
        return str(answer.value.name)
    asking.close()
    return "UNKNOWN"
