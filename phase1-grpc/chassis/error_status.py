"""Exceptions become gRPC statuses here and nowhere else."""

import math
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis import errors
from chassis.interceptor import Around, Call, Context

CODES: dict[type[errors.ServiceError], int] = {
    errors.InvalidArgument: code_pb2.INVALID_ARGUMENT,
    errors.Unauthenticated: code_pb2.UNAUTHENTICATED,
    errors.PermissionDenied: code_pb2.PERMISSION_DENIED,
    errors.NotFound: code_pb2.NOT_FOUND,
    errors.AlreadyExists: code_pb2.ALREADY_EXISTS,
    errors.FailedPrecondition: code_pb2.FAILED_PRECONDITION,
    errors.ResourceExhausted: code_pb2.RESOURCE_EXHAUSTED,
    errors.Unavailable: code_pb2.UNAVAILABLE,
}

MAX_TEXT = 300
"""Characters of a text that are sent. A status travels in headers, its text up to three times over; from 8 KB on gRPC
refuses headers at random, and the caller would get a status that is not ours."""

log = structlog.get_logger(__name__)


class ErrorStatus(Around):
    """Answers a `ServiceError` with its code and details, and anything else with INTERNAL and an id to find in the log.

    Details follow google.rpc: `ErrorInfo` carries the reason, `BadRequest` names the field of an `InvalidArgument`,
    `RetryInfo` says when to try again.
    """

    def __init__(self, domain: str) -> None:
        self._domain = domain

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        try:
            yield
        except errors.ServiceError as error:
            await abort(call.context, status_of(error, self._domain))
        except grpc.aio.AbortError:  # the handler chose its own status
            raise
        except Exception:
            # The exception's text may name tables, hosts or values: it goes to the log, the caller gets a way to ask.
            error_id = secrets.token_hex(4)
            log.exception("internal error", method=call.method, error_id=error_id)
            internal = status_pb2.Status(code=code_pb2.INTERNAL, message=f"internal error {error_id}: see the log")
            await abort(call.context, internal)


def status_of(error: errors.ServiceError, domain: str) -> status_pb2.Status:
    """The rich status of a refusal; `domain` names the service, as google.rpc.ErrorInfo asks."""
    status = status_pb2.Status(code=_code(error), message=_short(str(error)))
    status.details.append(_packed(error_details_pb2.ErrorInfo(reason=error.reason, domain=domain)))
    if isinstance(error, errors.InvalidArgument):
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=_short(error.problem))
        status.details.append(_packed(error_details_pb2.BadRequest(field_violations=[violation])))
    if error.retry_after is not None:
        delay = Duration(seconds=math.ceil(error.retry_after))  # too early would only be refused again
        status.details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    return status


async def abort(context: Context, status: status_pb2.Status) -> None:
    answer = rpc_status.to_status(status)
    await context.abort(answer.code, answer.details, answer.trailing_metadata)


def _code(error: errors.ServiceError) -> int:
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), code_pb2.UNKNOWN)


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
