"""What goes wrong becomes application/problem+json (RFC 9457) here and nowhere else."""

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import grpc
from chassis.error_status import CODES
from chassis.errors import InvalidArgument, ServiceError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status.rpc_status import from_call
from opentelemetry import trace
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from api_gateway.answers import Json

MEDIA_TYPE = "application/problem+json"
STATUSES: Mapping[grpc.StatusCode, HTTPStatus] = {
    grpc.StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT: HTTPStatus.UNPROCESSABLE_ENTITY,
    grpc.StatusCode.OUT_OF_RANGE: HTTPStatus.UNPROCESSABLE_ENTITY,
    grpc.StatusCode.FAILED_PRECONDITION: HTTPStatus.CONFLICT,
    grpc.StatusCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    grpc.StatusCode.ABORTED: HTTPStatus.CONFLICT,
    grpc.StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    grpc.StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}
"""All others are 500: they are our fault, and nothing that a client could act on."""

_TEXTS = {
    HTTPStatus.SERVICE_UNAVAILABLE: "a service that is needed for this is away; try again soon",
    HTTPStatus.GATEWAY_TIMEOUT: "this took too long, and may have happened; try again with the same key",
    HTTPStatus.TOO_MANY_REQUESTS: "too much is asked for right now; try again later",
}
_ANY_TEXT = "something went wrong on our side; trace_id finds it in the logs"
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class Problem(Exception):
    """A refusal on its way out. `reason` is for programs and never changes; `errors` are (field, message)."""

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def answer(self) -> Json:
        """The response, with the trace that it belongs to."""
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": str(self),
            "reason": self.reason,
            "trace_id": trace_id(),
        }
        if self.errors:
            content["errors"] = [{"field": field, "message": message} for field, message in self.errors]
        return Json(content, self.status, {**_expected(self.status), **self.headers}, media_type=MEDIA_TYPE)


def trace_id() -> str:
    """That of the request being handled; "" where nobody makes traces."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def of_rpc(error: grpc.RpcError) -> Problem:
    """A back end's refusal. Only a text that comes with a reason was written for callers: others name our insides."""
    code: grpc.StatusCode = error.code()
    status = STATUSES.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)
    reason, errors, headers = "", [], {}
    for detail in _details(error):
        if isinstance(detail, ErrorInfo):
            reason = detail.reason
        elif isinstance(detail, BadRequest):
            errors = [(each.field, each.description) for each in detail.field_violations]
        else:
            headers["Retry-After"] = str(max(1, detail.retry_delay.seconds))
    text = (error.details() if reason else None) or _TEXTS.get(status, _ANY_TEXT)
    return Problem(status, reason or code.name, text, errors=errors, headers=headers)


def of_refusal(error: ServiceError) -> Problem:
    """A refusal of code that this process shares with the services."""
    number = next(
        (number for kind, number in CODES.items() if isinstance(error, kind)), grpc.StatusCode.UNKNOWN.value[0]
    )
    status = STATUSES.get(_BY_NUMBER[number], HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    errors = [(error.field, error.problem)] if isinstance(error, InvalidArgument) else []
    return Problem(status, error.reason, str(error), errors=errors, headers=headers)


def of_validation(error: RequestValidationError) -> Problem:
    """A request that is not what the contract says: each field by name, and never what stood in it."""
    found = [(_field(each["loc"]), str(each["msg"])) for each in error.errors()]
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return Problem(HTTPStatus.BAD_REQUEST, "MALFORMED_JSON", "the body is not JSON")
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "INVALID_FIELD", f"{found[0][0]}: {found[0][1]}", errors=found)


def of_http(error: HTTPException) -> Problem:
    """What the router says: nothing there, another method, a body that cannot be read."""
    status = HTTPStatus(error.status_code)
    reason, detail = _HTTP_PROBLEMS.get(status, (status.name, error.detail))
    return Problem(status, reason, detail, headers=error.headers)


_HTTP_PROBLEMS = {
    HTTPStatus.BAD_REQUEST: ("MALFORMED_JSON", "the body is not JSON"),
    HTTPStatus.NOT_FOUND: ("NO_SUCH_PAGE", "there is nothing here; /docs says what there is"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("METHOD_NOT_ALLOWED", "this cannot be done here; the header Allow says what can"),
}


def of_bug(_error: Exception) -> Problem:
    """Whatever it was goes to the log: its text may name tables, hosts or values."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL", _ANY_TEXT)


def answer_with_problems(app: FastAPI) -> None:
    """Everything that the routes raise becomes a problem."""
    for kind, of in _KINDS.items():
        app.add_exception_handler(kind, _answering(of))


_KINDS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    grpc.aio.AioRpcError: of_rpc,
    ServiceError: of_refusal,
    RequestValidationError: of_validation,
    HTTPException: of_http,
    Problem: lambda problem: problem,
    Exception: of_bug,
}


def _answering(of: Callable[[Any], Problem]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        problem = of(error)
        if problem.status is HTTPStatus.METHOD_NOT_ALLOWED:
            problem.headers["Allow"] = ", ".join(_methods_at(request))
        return problem.answer()

    return answer


def _methods_at(request: Request) -> list[str]:
    """All methods of a path: each route knows its own, and the router asks the first."""
    path = getattr(request.scope.get("route"), "path", None)
    routes = [route for route in request.app.routes if isinstance(route, Route) and route.path == path]
    return sorted({method for route in routes for method in route.methods or ()})


def _expected(status: HTTPStatus) -> dict[str, str]:
    """Headers that a status does not go without."""
    if status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="tickets"'}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return {"Retry-After": "1"}
    return {}


def _details(error: grpc.RpcError) -> Iterator[ErrorInfo | BadRequest | RetryInfo]:
    try:
        status = from_call(error)
    except ValueError:  # a status that contradicts itself: its code is still good
        return
    for packed in status.details if status is not None else ():
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            detail = kind()
            if packed.Unpack(detail):
                yield detail


def _field(where: Sequence[int | str]) -> str:
    """The field's name without the part of the request that it stood in, such as body or query."""
    return ".".join(str(part) for part in where[1:]) or str(where[0])
