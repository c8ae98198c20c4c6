"""How a request ended. gRPC tells a server's interceptors only what a handler chose to say: the rest is known here."""

import asyncio

import grpc
from chassis.interceptor import Context

_CLOSE = 0.01  # seconds: gRPC's clock for deadlines and ours differ a little


def ended_with(context: Context, error: BaseException | None) -> str:
    """The name of the status that the caller gets, by what came out of the handler; None: an answer.

    `context.code()` alone would see no bug, no caller who hung up and no deadline: it is None after each of them.
    """
    if error is None or isinstance(error, grpc.aio.AbortError):
        return _chosen(context)
    if isinstance(error, (asyncio.CancelledError, GeneratorExit)):  # a stream is closed where it waits for its reader
        left: float | None = context.time_remaining()
        return "DEADLINE_EXCEEDED" if left is not None and left < _CLOSE else "CANCELLED"
    return _chosen(context, "UNKNOWN")  # what gRPC answers when an exception leaves a handler that chose nothing


def _chosen(context: Context, otherwise: str = "OK") -> str:
    code: grpc.StatusCode | int | None = context.code()
    if code is None:
        return otherwise
    return code.name if isinstance(code, grpc.StatusCode) else _BY_NUMBER.get(code, "UNKNOWN")


_BY_NUMBER = {code.value[0]: code.name for code in grpc.StatusCode}  # a handler may give the number alone
