"""What people write first for task 5.5, and how the check answers."""

from workbook.lesson.task import WrongAnswer

RIGHT = r"""
    key = headers.get("idempotency-key", "")
    if not re.fullmatch(r"[!-~]{1,128}", key):
        raise Refused(422, "Idempotency-Key")
    try:
        body = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "body") from None
    if not isinstance(body, dict):
        raise Refused(422, "body")
    for name in body:
        if name not in ("event_id", "ticket_count"):
            raise Refused(422, name)
    event_id, count = body.get("event_id"), body.get("ticket_count")
    form = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    if not isinstance(event_id, str) or not re.fullmatch(form, event_id):
        raise Refused(422, "event_id")
    if type(count) is not int or not 1 <= count <= 10:
        raise Refused(422, "ticket_count")
    return pb.CreateBookingRequest(user_id=caller, event_id=event_id, ticket_count=count, idempotency_key=key)
"""
_AS_IT_COMES = """
    return pb.CreateBookingRequest(**json.loads(body), user_id=caller, idempotency_key=headers["idempotency-key"])
"""
_FIRST_DAY = """
    body = json.loads(body)
    return pb.CreateBookingRequest(
        user_id=body.get("user_id", caller), event_id=body["event_id"], ticket_count=int(body["ticket_count"]),
        idempotency_key=headers.get("idempotency-key", ""),
    )
"""
_LAX = r"""
    class Booking(BaseModel):
        event_id: Annotated[str, Field(pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
        ticket_count: Annotated[int, Field(ge=1, le=10)]

    key = headers.get("idempotency-key", "")
    if not re.fullmatch(r"[!-~]{1,128}", key):
        raise Refused(422, "Idempotency-Key")
    try:
        new = Booking.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(400 if first["type"] == "json_invalid" else 422, str((*first["loc"], "body")[0])) from None
    return pb.CreateBookingRequest(
        user_id=caller, event_id=new.event_id, ticket_count=new.ticket_count, idempotency_key=key
    )
"""


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return RIGHT.replace(right, wrong)


WRONG = (
    WrongAnswer("the body as it comes", code=_AS_IT_COMES, says='"ticket_count": "3"}: request_of raised TypeError'),
    WrongAnswer(
        "believes the body's user, and int()", code=_FIRST_DAY, says='"ticket_count": "3"}: request_of took it'
    ),
    WrongAnswer("a model that helps: 3 for text", code=_LAX, says='"ticket_count": "3"}: request_of took it'),
    WrongAnswer(
        "a model that drops what it does not know",
        code=_LAX.replace("BaseModel)", "BaseModel, strict=True)"),
        says="a field that is not of the contract is refused",
    ),
    WrongAnswer(
        "isinstance of int",
        code=_but("type(count) is not int", "not isinstance(count, int)"),
        says='"ticket_count": true',
    ),
    WrongAnswer(
        "equal to a whole number",
        code=_but("type(count) is not int", "isinstance(count, bool) or count != int(count or 0)"),
        says="request_of raised",
    ),
    WrongAnswer(
        "the user of the body, if it has one",
        code=_but('("event_id", "ticket_count")', '("event_id", "ticket_count", "user_id")').replace(
            "user_id=caller", 'user_id=body.get("user_id", caller)'
        ),
        says='"user_id": "somebody-else"}: request_of took it',
    ),
    WrongAnswer(
        "drops unknown fields", code=_but("raise Refused(422, name)", "pass"), says="lets a client believe that it did"
    ),
    WrongAnswer(
        "names of the body's fields in any case",
        code=_but(
            "    for name in body:",
            '    body = {re.sub("C", "_c", name): body[name] for name in body}\n    for name in body:',
        ),
        says='"ticketCount": 5}: request_of took it',
    ),
    WrongAnswer(
        "one ticket if nothing is said",
        code=_but('body.get("ticket_count")', 'body.get("ticket_count", 1)'),
        says='{"event_id": "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21"}: request_of took it',
    ),
    WrongAnswer(
        "makes a key up",
        code=_but('headers.get("idempotency-key", "")', 'headers.get("idempotency-key") or uuid.uuid4().hex'),
        says="without one a retry is a second booking",
    ),
    WrongAnswer("no key, no matter", code=_but("{1,128}", "{0,128}"), says="no Idempotency-Key: request_of took it"),
    WrongAnswer("a key of any length", code=_but("{1,128}", "+"), says="and it must be refused: the key is 1 to 128"),
    WrongAnswer(
        "match is not fullmatch",
        code=_but("re.fullmatch(form", "re.match(form").replace('{12}"', '{12}$"'),
        says='\\n", "ticket_count": 3}: request_of took it',
    ),
    WrongAnswer(
        "any text is an event",
        code=_but(" or not re.fullmatch(form, event_id)", " or not event_id"),
        says='"event_id": "jazz", "ticket_count": 3}: request_of took it',
    ),
    WrongAnswer("422 for what is no JSON", code=_but("Refused(400", "Refused(422"), says="(400, 'body') is right"),
    WrongAnswer(
        "a list has no fields", code=_but("not isinstance(body, dict)", "body is None"), says="request_of raised"
    ),
    WrongAnswer(
        "the wrong name",
        code=_but('raise Refused(422, "ticket_count")', 'raise Refused(422, "body")'),
        says="Refused(422, 'ticket_count') is right",
    ),
)
