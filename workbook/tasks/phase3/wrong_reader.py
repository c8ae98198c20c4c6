"""What people write first for task 3.7, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = """\
    try:
        fields = json.loads(value)
    except ValueError as error:
        raise Poison(f"no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise Poison("no object")
    kinds = {"booking_id": str, "user_id": str, "event_id": str, "ticket_count": int, "created_at": str}
    for name, kind in kinds.items():
        if type(fields.get(name)) is not kind:
            raise Poison(f"{name} is {fields.get(name)!r}")
    if type(fields.get("seat", "")) is not str:
        raise Poison("seat is no text")
    try:
        booking_id = UUID(fields["booking_id"])
    except ValueError as error:
        raise Poison("booking_id is no UUID") from error
    try:
        created_at = datetime.fromisoformat(fields["created_at"])
    except ValueError as error:
        raise Poison("created_at is no time") from error
    if created_at.tzinfo is None:
        raise Poison("created_at has no offset")
    return BookingEvent(
        booking_id, fields["user_id"], fields["event_id"], fields["ticket_count"], created_at, fields.get("seat", "")
    )
"""
_TRUSTING = """\
    fields = json.loads(value)
    return BookingEvent(
        booking_id=UUID(fields["booking_id"]),
        user_id=fields["user_id"],
        event_id=fields["event_id"],
        ticket_count=fields["ticket_count"],
        created_at=datetime.fromisoformat(fields["created_at"]),
        seat=fields.get("seat", ""),
    )
"""
_AS_IT_COMES = """\
    try:
        return BookingEvent(**json.loads(value))
    except (ValueError, TypeError) as error:
        raise Poison(str(error)) from error
"""
_KNOWN_ONLY = _RIGHT.replace(
    "    for name, kind in",
    """\
    known = {"booking_id", "user_id", "event_id", "ticket_count", "created_at", "seat"}
    if unknown := set(fields) - known:
        raise Poison(f"unknown fields {unknown}")
    for name, kind in""",
)
_CATCH_ALL = (
    "    try:\n"
    + "".join(f"    {line}\n" for line in _TRUSTING.splitlines())
    + ('    except Exception as error:\n        raise Poison("a bad message") from error\n')
)


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return _RIGHT.replace(right, wrong)


WRONG = (
    WrongAnswer("trusts what comes", code=_TRUSTING, says="b'': read_event raises JSONDecodeError"),
    WrongAnswer(
        "strict on unknown fields", code=_KNOWN_ONLY, says="of a newer writer, with `discount` and `channel`, of"
    ),
    WrongAnswer("takes the fields as they come", code=_AS_IT_COMES, says="booking_id is '0b56cbd8"),
    WrongAnswer(
        "wants the new field from everybody",
        code=_but('fields.get("seat", "")) is', 'fields.get("seat")) is'),
        says="of an older writer, without a seat, gives Poison",
    ),
    WrongAnswer(
        "thinks that bytes are text",
        code=_but(
            "except ValueError as error:\n        raise Poison(f",
            "except json.JSONDecodeError as error:\n        raise Poison(f",
        ),
        says="read_event raises UnicodeDecodeError",
    ),
    WrongAnswer(
        "thinks that JSON is an object", code=_but("not isinstance(fields, dict)", "fields is None"), says="b'[]':"
    ),
    WrongAnswer(
        "a missing field leaks a KeyError",
        code=_but("if type(fields.get(name)) is", "if type(fields[name]) is"),
        says="an event without booking_id: read_event raises KeyError",
    ),
    WrongAnswer(
        "makes up what is missing",
        code=_but("    for name, kind in", '    fields.setdefault("ticket_count", 1)\n    for name, kind in'),
        says="an event without ticket_count: read_event gives",
    ),
    WrongAnswer(
        "True is a number of tickets",
        code=_but("if type(fields.get(name)) is not kind", "if not isinstance(fields.get(name), kind)"),
        says="whose ticket_count is true",
    ),
    WrongAnswer(
        "makes a number of anything",
        code=_but(
            "    for name, kind in",
            '    if type(fields.get("ticket_count")) in (str, float):\n'
            '        fields["ticket_count"] = int(fields["ticket_count"])\n    for name, kind in',
        ),
        says='whose ticket_count is "2"',
    ),
    WrongAnswer(
        "a time without a zone",
        code=_but("created_at.tzinfo is None", "created_at is None"),
        says='whose created_at is "2026-11-24T23:30:00" (without an offset',
    ),
    WrongAnswer("says nothing of the field", code=_CATCH_ALL, says="among the dead letters must read: booking_id"),
)
