"""Task 3.7: a reader that takes what it knows, and refuses what it cannot understand."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase3.wrong_reader import WRONG

ReadEvent = Callable[[bytes], Any]

OLD = {
    "booking_id": "0b56cbd8-6f7e-4f0a-9d43-1f2f3c0f9a11",
    "user_id": "zoë",
    "event_id": "jazz-night",
    "ticket_count": 2,
    "created_at": "2026-11-24T23:30:00.5-05:00",
}
NEW = {**OLD, "seat": "B7"}
NEWER = {**NEW, "discount": {"percent": 10}, "channel": None}
READABLE = (
    ("of an older writer, without a seat", OLD),
    ("of today, with a seat", NEW),
    ("of a newer writer, with `discount` and `channel`, of which nobody told this reader", NEWER),
)
NO_OBJECT = (
    b"",
    b"not json",
    b'{"booking_id": ',
    b"\xff\xfe\x00",
    b'{"user_id": "\xff"}',
    b"null",
    b"[]",
    b"42",
    b'"text"',
)
# A value of each field that no reader should take, and why.
BAD: tuple[tuple[str, Any, str], ...] = (
    ("booking_id", "not-a-uuid", "it is no UUID"),
    ("booking_id", 5, "it is a number; UUID(5) raises AttributeError"),
    ("user_id", 7, "it is a number"),
    ("user_id", None, "null is no text"),
    ("event_id", ["jazz-night"], "it is a list"),
    ("ticket_count", "2", 'it is a text; who writes "2" may write "two" tomorrow'),
    ("ticket_count", 2.5, "half a ticket"),
    ("ticket_count", True, "it is true or false; for Python a bool is an int, too"),
    ("ticket_count", None, "null is no number"),
    ("created_at", "yesterday", "it is no time"),
    ("created_at", 1764000000, "it is a number; fromisoformat raises TypeError"),
    ("created_at", "2026-11-24T23:30:00", "without an offset from UTC nobody knows which day it belongs to"),
    ("seat", 7, "it may be missing; when it is there, it is a text"),
)


def check(read_event: ReadEvent) -> str:
    """Events of three writers; bytes that are no event; each field missing; each field of a wrong type."""
    for what, event in READABLE:
        _reads(read_event, what, event)
    for value in NO_OBJECT:
        _refused(read_event, value, repr(value), "no JSON object")
    bad = list(_bad_events())
    for field, event, what in bad:
        error = _refused(read_event, json.dumps(event).encode(), what, "nobody can count such an event")
        if field not in str(error):
            raise Wrong(
                f"{what}: Poison says {str(error)!r}. Whoever finds it among the dead letters must read: {field}"
            )
    return (
        f"events of {len(READABLE)} writers read; {len(NO_OBJECT)} values that are no object, and {len(bad)} with one "
        "wrong field, refused by name"
    )


def _bad_events() -> Iterator[tuple[str, dict[str, Any], str]]:
    for field in OLD:
        yield field, {name: value for name, value in NEW.items() if name != field}, f"an event without {field}"
    for field, value, why in BAD:
        yield field, {**NEW, field: value}, f"an event whose {field} is {json.dumps(value)} ({why})"


def _reads(read_event: ReadEvent, what: str, event: dict[str, Any]) -> None:
    try:
        got = read_event(json.dumps(event).encode())
    except NotImplementedError:
        raise
    except Exception as error:
        raise Wrong(
            f"an event {what}, gives {type(error).__name__}: {error}. It has all that this reader needs: "
            f"{json.dumps(event)}"
        ) from error
    right = {
        **{field: event[field] for field in ("user_id", "event_id", "ticket_count")},
        "booking_id": UUID(event["booking_id"]),
        "created_at": datetime.fromisoformat(event["created_at"]),
        "seat": event.get("seat", ""),
    }
    for field, value in right.items():
        found = getattr(got, field, None)
        if type(found) is not type(value) or found != value:
            raise Wrong(f"an event {what}: {field} is {found!r}, {value!r} is right")


def _refused(read_event: ReadEvent, value: bytes, what: str, why: str) -> Exception:
    try:
        got = read_event(value)
    except Exception as error:
        if type(error).__name__ == "Poison":
            return error
        raise Wrong(
            f"{what}: read_event raises {type(error).__name__}: {error}. Whoever calls it knows only Poison: catch it, "
            "and say it as Poison"
        ) from error
    raise Wrong(f"{what}: read_event gives {got!r}, Poison is right: {why}")


TASK = Task(
    id="3.7",
    title="An old reader, a new event",
    names=("read_event",),
    hints=(
        (
            "Which bytes are no JSON, and which JSON is no object? Then field by field: is it there, and is it what "
            "you need? What else is in it, do not even look at."
        ),
        (
            "json.loads raises ValueErrors of two kinds: no JSON, no UTF-8. fields.get(name) is None for a missing "
            "one. `type(found) is int` refuses True, isinstance does not. UUID() and fromisoformat want a str first."
        ),
        (
            "A small function inside: field(name, kind, read) raises Poison with the name in it when type(found) is "
            "not kind, or when read(found) raises ValueError. Then created_at.tzinfo must not be None, and `seat` is "
            "read only if it is in there."
        ),
    ),
    check=check,
    wrong=WRONG,
)
