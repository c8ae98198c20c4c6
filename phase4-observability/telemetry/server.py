"""Stands around every request that this process answers: counts it, times it, and makes its span."""

import inspect
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
from chassis.interceptor import Context, Continuation, behaviour_of, with_behaviour

from telemetry.methods import OTHER
from telemetry.outcome import ended_with
from telemetry.requests import Requests
from telemetry.spans import NOBODY, RpcSpan, Spans


class ServerTelemetry(grpc.aio.ServerInterceptor):
    """Plug it in outermost: there it sees the statuses that callers get, whoever chose them."""

    def __init__(self, requests: Requests, spans: Spans) -> None:
        self._requests = requests
        self._spans = spans

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        handler = await continuation(handler_call_details)
        method = self._requests.name(handler_call_details.method)
        if handler is None:  # no such method: gRPC itself answers
            self._requests.refused(OTHER, grpc.StatusCode.UNIMPLEMENTED.name)
            return None
        behaviour = behaviour_of(handler)

        async def once(request: Any, context: Context) -> Any:
            call = _Call(self, method, context)
            try:
                answer = await behaviour(request, context)
            except BaseException as error:
                call.end(error)
                raise
            call.end(None)
            return answer

        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            call = _Call(self, method, context)
            try:
                async with aclosing(behaviour(request, context)) as answers:
                    async for answer in answers:
                        yield answer
            except BaseException as error:
                call.end(error)
                raise
            call.end(None)

        return with_behaviour(handler, stream if inspect.isasyncgenfunction(behaviour) else once)

    def span_of(self, method: str, context: Context) -> RpcSpan:
        return self._spans.server(method, context) if self._spans.shows(method) else NOBODY

    @property
    def requests(self) -> Requests:
        return self._requests


class _Call:
    """One request, from its first moment to its last."""

    __slots__ = ("_began", "_context", "_method", "_requests", "_span")

    def __init__(self, telemetry: ServerTelemetry, method: str, context: Context) -> None:
        self._requests = telemetry.requests
        self._method = method
        self._context = context
        self._requests.begin(method)
        self._span = telemetry.span_of(method, context)
        self._began = time.perf_counter()

    def end(self, error: BaseException | None) -> None:
        code = ended_with(self._context, error)
        self._requests.end(self._method, code, time.perf_counter() - self._began, self._span.trace_id)
        self._span.end(code)
