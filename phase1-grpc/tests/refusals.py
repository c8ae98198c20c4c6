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


def details(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """The details of a status, empty where there are none; fails on any that nobody documented."""
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        assert detail.Unpack(info) or detail.Unpack(bad), f"unexpected detail {detail.type_url}"
    return info, bad


async def refusal(call: Awaitable[object]) -> Refusal:
    """How a call that must be refused is refused."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        info, bad = details(error)
        return Refusal(error.code(), info.reason, "".join(violation.field for violation in bad.field_violations))
    raise AssertionError(f"the call was answered: {answer}")
