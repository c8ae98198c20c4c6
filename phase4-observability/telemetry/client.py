"""Stands around every request that this process makes: counts it, times it, makes its span, and sends it along.

contrib's interceptors for grpc.aio stop cancellation: the server goes on with what nobody waits for any more. These
pass it on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from telemetry.requests import Requests
from telemetry.spans import Spans, carrying

Continuation = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]]


class _Asked:
    """One request, from its first moment to its last."""

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

    async def ended(self, call: Any) -> None:
        """Waits for the call to end, however it does, and ends it if nobody waits for it any more."""
        try:
            code = (await call.code()).name
        except asyncio.CancelledError:
            call.cancel()
            self.end(grpc.StatusCode.CANCELLED.name)
            raise
        self.end(code)


class _Interceptor:
    def __init__(self, requests: Requests, spans: Spans) -> None:
        self._requests = requests
        self._spans = spans
        self._watching: set[asyncio.Task[None]] = set()

    async def _answer(self, continuation: Continuation, details: grpc.aio.ClientCallDetails, request: Any) -> Any:
        """One answer: the call is at its end when it is there."""
        asked = await self._asked(continuation, details, request)
        await asked[0].ended(asked[1])
        return asked[1]

    async def _answers(self, continuation: Continuation, details: grpc.aio.ClientCallDetails, request: Any) -> Any:
        """A stream: it goes on after this returns, and is waited for beside it."""
        asked, call = await self._asked(continuation, details, request)
        watching = asyncio.create_task(asked.ended(call))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)
        return call

    async def _asked(
        self, continuation: Continuation, details: grpc.aio.ClientCallDetails, request: Any
    ) -> tuple[_Asked, Any]:
        asked = _Asked(self._requests, self._spans, details)
        try:
            return asked, await continuation(asked.details, request)
        except BaseException as error:
            code = error.code().name if isinstance(error, grpc.aio.AioRpcError) else grpc.StatusCode.CANCELLED.name
            asked.end(code)
            raise


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._answer(continuation, client_call_details, request)


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._answers(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._answers(continuation, client_call_details, request_iterator)


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._answers(continuation, client_call_details, request_iterator)


def client_telemetry(requests: Requests, spans: Spans) -> list[grpc.aio.ClientInterceptor]:
    """One for each kind of call: gRPC wants them apart."""
    return [kind(requests, spans) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]
