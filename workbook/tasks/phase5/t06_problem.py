"""Task 5.6: a service's refusal becomes an answer over HTTP, judged over every code and everything that comes along."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from itertools import product
from typing import Any, NamedTuple

from grpc import StatusCode

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase5.wrong_problem import WRONG

ProblemOf = Callable[[Any], Any]
STATUSES: Mapping[StatusCode, int] = {
    StatusCode.NOT_FOUND: 404,
    StatusCode.INVALID_ARGUMENT: 422,
    StatusCode.OUT_OF_RANGE: 422,
    StatusCode.FAILED_PRECONDITION: 409,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
}
INSIDE = (
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.1.2.3:50051: Connection refused",
    'duplicate key value violates unique constraint "bookings_user_key" DETAIL: Key (user_id)=(ada)',
    "Unexpected <class 'psycopg.OperationalError'>: could not translate host name \"booking-db-0\"",
)
SECRETS = ("10.1.2.3", "bookings_user_key", "psycopg", "booking-db-0", "ada")
FOR_CALLERS = "event 4fd5 has no 2 tickets left"
FIELDS = (("ticket_count", "must be 1 to 10"), ("event_id", "must be an id"))
WAITS = (None, 0.0, 0.2, 1.0, 6.2, 59.0)
LATER = {429, 503}


class Refusal(NamedTuple):
    """As the lesson's cell has it."""

    code: StatusCode
    text: str = ""
    reason: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    retry_after: float | None = None

    def __str__(self) -> str:
        given = [
            self.code.name,
            *(f"{name}={getattr(self, name)!r}" for name in self._fields[1:] if getattr(self, name)),
        ]
        return ", ".join(given)


def check(problem_of: ProblemOf) -> str:
    """Every code, with each thing that may come along and without."""
    texts: dict[int, str] = {}
    refusals = [*_refusals()]
    for refusal in refusals:
        status, headers, body = _answer(problem_of, refusal)
        _status(refusal, status)
        _body(refusal, status, body)
        _headers(refusal, status, headers)
        _said(refusal, status, body, texts)
    return f"{len(refusals)} refusals answered, no host and no table among them"


def _refusals() -> Iterator[Refusal]:
    for code in StatusCode:
        if code is StatusCode.OK:
            continue
        yield from (Refusal(code, text) for text in ("", *INSIDE))
        for wait, fields in product(WAITS, ((), FIELDS)):
            yield Refusal(code, FOR_CALLERS, "SOLD_OUT", fields, wait)
        yield from (Refusal(code, text, "INTERNAL_BUG") for text in INSIDE if code not in STATUSES)


def _answer(problem_of: ProblemOf, refusal: Refusal) -> tuple[Any, Mapping[str, Any], dict[str, Any]]:
    got = problem_of(refusal)
    if not isinstance(got, tuple) or len(got) != 3:
        raise Wrong(f"{refusal}: problem_of gives {got!r}; wanted are three: the status, headers, the body as a dict")
    status, headers, body = got
    try:
        read = json.loads(json.dumps(body))
    except (TypeError, ValueError) as error:
        raise Wrong(f"{refusal}: the body is {body!r}, and that is not JSON: {error}") from error
    return status, {str(name).lower(): value for name, value in headers.items()}, read


def _status(refusal: Refusal, status: Any) -> None:
    right = STATUSES.get(refusal.code, 500)
    if status != right:
        raise Wrong(f"{refusal}: the status is {status!r}, and {right} is right. {_WHY.get(right, '')}".rstrip())


def _body(refusal: Refusal, status: int, body: dict[str, Any]) -> None:
    wanted = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "reason": refusal.reason or refusal.code.name,
    }
    if status == 500:
        wanted["reason"] = "INTERNAL"
    for name, right in wanted.items():
        if body.get(name) != right:
            raise Wrong(f"{refusal}: the body's {name} is {body.get(name)!r}, and {right!r} is right")
    errors = [{"field": field, "message": message} for field, message in refusal.fields] if status != 500 else []
    if body.get("errors", []) != errors:
        raise Wrong(f"{refusal}: the body's errors are {body.get('errors')!r}, and {errors!r} are right")


def _headers(refusal: Refusal, status: int, headers: Mapping[str, Any]) -> None:
    if headers.get("content-type") != "application/problem+json":
        raise Wrong(f"{refusal}: Content-Type is {headers.get('content-type')!r}; application/problem+json is right")
    if (status == 401) != ("www-authenticate" in headers):
        raise Wrong(f"{refusal}: a 401, and no other, has the header WWW-Authenticate: Bearer (RFC 9110)")
    later = headers.get("retry-after")
    if status not in LATER:
        if later is not None:
            raise Wrong(
                f"{refusal}: Retry-After is {later!r}, and a {status} has none: the same again is refused again"
            )
        return
    right = str(max(1, math.ceil(refusal.retry_after or 0)))
    if later != right:
        raise Wrong(
            f"{refusal}: Retry-After is {later!r}, and {right!r} is right. It is text, whole seconds, rounded up and "
            "at least 1: a client that comes too early is only refused again"
        )


def _said(refusal: Refusal, status: int, body: dict[str, Any], texts: dict[int, str]) -> None:
    everything = json.dumps(body)
    told = [secret for secret in SECRETS if secret in everything]
    if told:
        raise Wrong(
            f"{refusal}: the answer says {told[0]!r}: {everything}. Only a text that comes with a reason was written "
            "for callers, and none of a 500 is; others name hosts, tables and values"
        )
    detail = body.get("detail")
    if refusal.reason and status != 500:
        if detail != refusal.text:
            raise Wrong(f"{refusal}: detail is {detail!r}. A text with a reason was written for callers: pass it on")
        return
    if not isinstance(detail, str) or not detail:
        raise Wrong(f"{refusal}: detail is {detail!r}; a person reads it, so it says something")
    if texts.setdefault(status, detail) != detail:
        raise Wrong(f"{refusal}: detail is {detail!r}, and for another {status} {texts[status]!r}: one text a status")


_WHY = {
    500: "What no client can act on is our fault: 500",
    503: "UNAVAILABLE is no bug: the service is away, and the same call may succeed soon",
    504: "The call took too long, and it may have happened: 504",
    409: "The request is well formed; the state of things does not allow it: 409",
    422: "A field can never be right: 422",
    401: "401: it is not known who asks. 403: it is known, and not allowed",
    403: "401: it is not known who asks. 403: it is known, and not allowed",
    429: "RESOURCE_EXHAUSTED: too much is asked for, later it may work: 429",
}

TASK = Task(
    id="5.6",
    title="Refusals become problems, and keep our insides inside",
    names=("problem_of",),
    hints=(
        (
            "Write the table first: who can do something about each code, and what? Whoever sent it (4xx), nobody now "
            "but soon (503), or we (500)? Then: which texts were written for callers, and how does one know?"
        ),
        (
            "A dict from StatusCode to int, with .get(code, 500). For 500 everything is fixed: reason INTERNAL, one "
            "text, no errors. Else the text is refusal.text if there is a reason, and one of your own if not. "
            "http.HTTPStatus(status).phrase is the title."
        ),
        (
            'headers = {"Content-Type": "application/problem+json"}; for 401 add "WWW-Authenticate": "Bearer"; for 429 '
            'and 503 add "Retry-After": str(max(1, math.ceil(refusal.retry_after or 0))). Only then the body.'
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=30,
)
