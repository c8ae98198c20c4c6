"""What a service said instead of an answer, taken apart: its code, and what google.rpc adds to it."""

from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status.rpc_status import from_call


def details_of(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """`code` and `text`; with them `reason`, `fields` as (name, message) and `retry_after` in seconds, if they came."""
    found: dict[str, Any] = {"code": error.code(), "text": error.details() or ""}
    status = from_call(error)
    for packed in status.details if status is not None else ():
        info, request, retry = ErrorInfo(), BadRequest(), RetryInfo()
        if packed.Unpack(info):
            found["reason"] = info.reason
        elif packed.Unpack(request):
            found["fields"] = tuple((each.field, each.description) for each in request.field_violations)
        elif packed.Unpack(retry):
            found["retry_after"] = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return found
