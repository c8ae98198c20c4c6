"""Task 5.5: from JSON to a booking's request, judged by what the contract says of thousands of bodies and keys."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from booking_service.proto import booking_pb2 as pb

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase5.given_requests import BODIES, KEYS, Sent, made_up, refusals
from workbook.tasks.phase5.wrong_request import WRONG

RequestOf = Callable[[str, bytes, Mapping[str, str]], Any]
CALLER = "6b2f8f56-6f0c-4f0e-9f4c-8f4a1d3c2b10"
MADE_UP = 1000


def check(request_of: RequestOf, refused: type[Exception]) -> str:
    """Right requests first, then each thing that may be wrong alone, then several at once."""
    right = 0
    for sent in (*BODIES, *KEYS, *made_up(MADE_UP)):
        right += _judged(request_of, refused, sent)
    return f"{right:,} right requests made, {len(BODIES) + len(KEYS) + MADE_UP - right:,} wrong ones refused by name"


def _judged(request_of: RequestOf, refused: type[Exception], sent: Sent) -> bool:
    """Whether it was a right one; raises Wrong where the answer is not what the contract says."""
    allowed = refusals(sent)
    try:
        got = request_of(CALLER, sent.body, sent.headers)
    except NotImplementedError:
        raise
    except refused as refusal:
        _refused(sent, (getattr(refusal, "status", None), getattr(refusal, "field", None)), allowed)
        return False
    except Exception as error:
        raise Wrong(
            f"{sent}: request_of raised {type(error).__name__}: {error}. A client can send anything; whatever is wrong "
            "with it is Refused(status, field), for all else is a 500"
        ) from error
    if allowed:
        raise Wrong(f"{sent}: request_of took it, and it must be refused: {sent.why}")
    _made(sent, got)
    return True


def _refused(sent: Sent, got: tuple[Any, Any], allowed: set[tuple[int, str]]) -> None:
    if not allowed:
        raise Wrong(f"{sent}: this is a right request, and it was refused: Refused{got}. {sent.why}".rstrip())
    if got not in allowed:
        right = " or ".join(f"Refused{each}" for each in sorted(allowed))
        raise Wrong(f"{sent}: Refused{got}, and {right} is right: {sent.why}")


def _made(sent: Sent, got: Any) -> None:
    if not isinstance(got, pb.CreateBookingRequest):
        raise Wrong(f"{sent}: request_of gives {got!r}; a pb.CreateBookingRequest is wanted")
    body = json.loads(sent.body)
    right = pb.CreateBookingRequest(
        user_id=CALLER,
        event_id=body["event_id"],
        ticket_count=body["ticket_count"],
        idempotency_key=sent.headers["idempotency-key"],
    )
    for field in right.DESCRIPTOR.fields_by_name:
        seen, wanted = getattr(got, field), getattr(right, field)
        if seen != wanted:
            raise Wrong(f"{sent}: {field} is {seen!r}, and {wanted!r} is right. {_WHENCE.get(field, '')}".rstrip())


_WHENCE = {
    "user_id": "The user is who calls, as the token says, and nobody else",
    "idempotency_key": (
        "It comes from the client, who sends the same one on every try; one that the gateway makes up is new each time"
    ),
}


TASK = Task(
    id="5.5",
    title="From JSON to a request, and nothing that was not asked for",
    names=("request_of", "Refused"),
    hints=(
        (
            'What does Python say to `isinstance(True, int)`, and what does `int()` make of 3.7 and of "3"? Which '
            "fields may a body have, and who says which user it is?"
        ),
        (
            "pydantic can do all of it: a model with two fields, Annotated with Field(pattern=…) and Field(ge=1, "
            'le=10), and model_config = ConfigDict(strict=True, extra="forbid"). model_validate_json reads the bytes; '
            "each error of a ValidationError has a `type` and a `loc`."
        ),
        (
            'except ValidationError as error: first = error.errors()[0]; if first["type"] == "json_invalid": raise '
            'Refused(400, "body"); raise Refused(422, first["loc"][0] if first["loc"] else "body"). The key: '
            're.fullmatch(r"[!-~]{1,128}", headers.get("idempotency-key", "")), or Refused(422, "Idempotency-Key").'
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=30,
)
