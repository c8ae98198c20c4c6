"""What people write first for task 5.6, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = """
    status = {
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
    }.get(refusal.code, 500)
    headers = {"Content-Type": "application/problem+json"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after or 0)))
    ours = status == 500
    detail = refusal.text if refusal.reason and not ours else f"{HTTPStatus(status).phrase}: that did not work"
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "reason": "INTERNAL" if ours else refusal.reason or refusal.code.name,
    }
    if refusal.fields and not ours:
        body["errors"] = [{"field": field, "message": message} for field, message in refusal.fields]
    return status, headers, body
"""


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return _RIGHT.replace(right, wrong)


WRONG = (
    WrongAnswer("everything is our fault", code=_but("}.get(refusal.code, 500)", "} and 500"), says="422 is right"),
    WrongAnswer(
        "everything is the client's", code=_but("refusal.code, 500", "refusal.code, 400"), says="is our fault: 500"
    ),
    WrongAnswer(
        "200 with an error in it",
        code=_but("return status, headers, body", "return 200, headers, body"),
        says="the status is 200",
    ),
    WrongAnswer(
        "sold out is a wrong request",
        code=_but("FAILED_PRECONDITION: 409", "FAILED_PRECONDITION: 422"),
        says="does not allow it: 409",
    ),
    WrongAnswer("away is a bug", code=_but("        StatusCode.UNAVAILABLE: 503,\n", ""), says="UNAVAILABLE is no bug"),
    WrongAnswer(
        "401 and 403 swapped",
        code=_but("UNAUTHENTICATED: 401", "UNAUTHENTICATED: 403"),
        says="401: it is not known who asks",
    ),
    WrongAnswer(
        "passes every text on",
        code=_but("refusal.text if refusal.reason and not ours", "refusal.text if refusal.text"),
        says="Only a text that comes with a reason",
    ),
    WrongAnswer(
        "a reason makes every text good",
        code=_but("refusal.reason and not ours else", "refusal.reason else"),
        says="for another 500",
    ),
    WrongAnswer(
        "no text at all",
        code=_but("refusal.text if refusal.reason and not ours else ", ""),
        says="A text with a reason was written for callers",
    ),
    WrongAnswer(
        "an empty detail",
        code=_but('f"{HTTPStatus(status).phrase}: that did not work"', '""'),
        says="a person reads it",
    ),
    WrongAnswer(
        "the text in errors instead",
        code=_but("return status", 'body["trace"] = refusal.text\n    return status'),
        says="the answer says",
    ),
    WrongAnswer("says when to come back always", code=_but("status in (429, 503)", "True"), says="and a 500 has none"),
    WrongAnswer("a 503 without when", code=_but("(429, 503)", "(429,)"), says="Retry-After is None, and '1' is right"),
    WrongAnswer("rounds down", code=_but("math.ceil(", "int("), says="rounded up"),
    WrongAnswer("come back in 0 seconds", code=_but("max(1, ", "max(0, "), says="Retry-After is '0', and '1' is right"),
    WrongAnswer("a number in a header", code=_but("str(max(", "(max("), says="It is text, whole seconds"),
    WrongAnswer(
        "plain JSON",
        code=_but("application/problem+json", "application/json"),
        says="application/problem+json is right",
    ),
    WrongAnswer(
        "a 401 that does not say how",
        code=_but('headers["WWW-Authenticate"] = "Bearer"', "pass"),
        says="has the header WWW-Authenticate",
    ),
    WrongAnswer(
        "the code for the reason",
        code=_but("refusal.reason or refusal.code.name", "refusal.code.name"),
        says="'SOLD_OUT' is right",
    ),
    WrongAnswer("forgets the fields", code=_but("refusal.fields and not ours", "False"), says="errors are None"),
    WrongAnswer(
        "the status as an enum's name",
        code=_but('"status": status', '"status": str(status)'),
        says="the body's status is '500', and 500 is right",
    ),
)
