"""What a refused call carries, as a program would read it."""

from collections.abc import Awaitable
from typing import NamedTuple

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


class Refusal(NamedTuple):
    """`field` is empty unless the status is INVALID_ARGUMENT."""

    code: grpc.StatusCode
    reason: str
    field: str


def retry_delay(error: grpc.aio.AioRpcError) -> int | None:
    """Seconds after which a refused call may be made again, None where the status does not say."""
    found, status = error_details_pb2.RetryInfo(), rpc_status.from_call(error)
    said = status is not None and any(detail.Unpack(found) for detail in status.details)
    return int(found.retry_delay.seconds) if said else None


def details(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """The details of a status, empty where there are none; fails on any that nobody documented."""
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        assert any(detail.Unpack(known) for known in (info, bad, retry)), f"unexpected detail {detail.type_url}"
    return info, bad


async def refusal(call: Awaitable[object]) -> Refusal:
    """How a call that must be refused is refused."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        info, bad = details(error)
        return Refusal(error.code(), info.reason, "".join(violation.field for violation in bad.field_violations))
    raise AssertionError(f"the call was answered: {answer}")
