"""Deadlines: received, imposed when missing, passed on. Python's gRPC does none of the last two by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import grpc

from chassis.interceptor import Around, Call, Context

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


def remaining() -> float | None:
    """Seconds left of the call being handled, never below 0; None outside a call and in a stream without a deadline."""
    ends_at = _ends_at.get()
    return None if ends_at is None else max(0.0, ends_at - asyncio.get_running_loop().time())


def due_in(seconds: float | None) -> None:
    """Notes what is left of the work that this task does for a caller: calls made for it take no longer.

    None stands for a caller who waits as long as it takes.
    """
    _ends_at.set(None if seconds is None else asyncio.get_running_loop().time() + seconds)


class ServerDeadlines(Around):
    """Notes what is left of a call, and ends a unary call after `limit` seconds even if its caller would wait longer.

    Streams may live as long as their caller wants: watching is not hanging.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        asked: float | None = call.context.time_remaining()
        left = asked if call.streams else min(self._limit, self._limit if asked is None else asked)
        # Every call is handled in a task, and so in a context, of its own: nothing to reset.
        due_in(left)
        if call.streams:  # gRPC itself ends a stream whose caller set a deadline
            yield
            return
        try:
            async with asyncio.timeout(left) as limit:
                yield
        except TimeoutError:
            if not limit.expired():  # the handler's own, and a bug
                raise
            await _abort(call.context, f"not done within {left:g} s")


async def _abort(context: Context, why: str) -> None:
    try:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, why)
    except grpc.aio.AbortError:
        raise
    except grpc.aio.BaseError as over:  # gRPC ended the call at the same moment: its caller's deadline has passed, too
        raise asyncio.CancelledError from over


class ClientDeadlines(grpc.aio.UnaryUnaryClientInterceptor):
    """Gives each outgoing call what is left of the incoming one, at most `limit` seconds."""

    def __init__(self, limit: float) -> None:
        self._limit = limit

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        asked = client_call_details
        shortest = min(bound for bound in (asked.timeout, remaining(), self._limit) if bound is not None)
        details = grpc.aio.ClientCallDetails(
            asked.method, shortest, asked.metadata, asked.credentials, asked.wait_for_ready
        )
        return await continuation(details, request)
