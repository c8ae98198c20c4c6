"""Task 3.1: a message whose key keeps a booking's order, and whose headers tell what it is."""

import json
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any
from zlib import crc32

from workbook.lesson.task import Task, Wrong, WrongAnswer

CREATED, CANCELLED = "BookingCreatedEvent", "BookingCancelledEvent"
FIELDS = ("booking_id", "user_id", "event_id", "ticket_count", "created_at")
PARTITIONS, BOOKINGS = 7, 300
TOO_MANY = 2 * BOOKINGS // 3  # messages on one partition: more than twice its share

MessageFor = Callable[[str, dict[str, Any], str], Any]


def check(message_for: MessageFor) -> str:
    """One message, looked at closely; then one event that everybody books, some through an agency."""
    _one(message_for)
    sent = [_sent(message_for, kind, number) for kind in (CREATED, CANCELLED) for number in range(BOOKINGS)]
    lies = [_partition(message.key, turn) for turn, (_, message) in enumerate(sent)]
    _in_order(sent, lies)
    loads = Counter(lies)
    fullest, load = loads.most_common(1)[0]
    if load > TOO_MANY:
        raise Wrong(
            f"everybody books one event: {load} of {len(sent)} messages lie on partition {fullest} of {PARTITIONS}, so "
            f"one consumer does the work of all. Keys like {sent[0][1].key!r} are shared by too many bookings"
        )
    event, message = sent[-1]
    if message.key != event["booking_id"].encode():
        raise Wrong(
            f"the key is {message.key!r}, and the booking's id is {event['booking_id']}: other readers rely on it"
        )
    least = min(loads[partition] for partition in range(PARTITIONS))
    return (
        f"{BOOKINGS} bookings of one event: each one's two messages on one partition, in order, and {least} to {load} "
        f"messages on each of {PARTITIONS}"
    )


def _event(number: int) -> dict[str, Any]:
    """A booking of the event that everybody books; an agency makes every second one. Always the same ids."""
    return {
        "booking_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"booking {number}")),
        "user_id": f"zoë-{number}" if number % 2 else "agency",
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, "event")),
        "ticket_count": 1 + number % 4,
        "created_at": "2026-11-24T12:46:04.250000+00:00",
        "idempotency_key": f"secret-{number}",
    }


def _sent(message_for: MessageFor, kind: str, number: int) -> tuple[dict[str, Any], Any]:
    event = _event(number)
    return event, message_for(kind, event, str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {number}")))


def _partition(key: bytes | None, turn: int) -> int:
    """As a producer decides: by the key's hash; without a key by turns."""
    return turn % PARTITIONS if key is None else crc32(key) % PARTITIONS


def _in_order(sent: list[tuple[dict[str, Any], Any]], lies: list[int]) -> None:
    for number in range(BOOKINGS):
        created, cancelled = lies[number], lies[BOOKINGS + number]
        if created != cancelled:
            keys = [sent[at][1].key for at in (number, BOOKINGS + number)]
            raise Wrong(
                f"one booking, keys {keys[0]!r} and {keys[1]!r}: its {CREATED} lies on partition {created}, its "
                f"{CANCELLED} on {cancelled}. Only within a partition is there an order: the second may be read first. "
                "What do the messages of one booking have in common?"
            )


def _one(message_for: MessageFor) -> None:
    event, message = _sent(message_for, CANCELLED, 1)
    if not isinstance(message.key, bytes | None):
        raise Wrong(f"the key is {message.key!r}: Kafka takes bytes, so .encode() the text")
    _value(message.value, event)
    _headers(message.headers, _sent(message_for, CREATED, 1)[1].headers)


def _value(value: Any, event: dict[str, Any]) -> None:
    if not isinstance(value, bytes):
        raise Wrong(f"the value is {value!r}: Kafka takes bytes, so .encode() the text")
    try:
        found = json.loads(value)
    except ValueError as error:
        raise Wrong(
            f"the value {value[:40]!r}… is no JSON ({error}): readers in other languages need json.dumps"
        ) from error
    if not isinstance(found, dict):
        raise Wrong(f"the value is {value!r}: a JSON object with {', '.join(FIELDS)} is wanted")
    if extra := set(found) - set(FIELDS):
        raise Wrong(
            f"the value also tells {', '.join(sorted(extra))}: what is published once is kept by others. FIELDS only"
        )
    for field in FIELDS:
        if field not in found:
            raise Wrong(f"the value lacks {field}: {value.decode()}")
        if found[field] != event[field] or type(found[field]) is not type(event[field]):
            raise Wrong(f"{field} is {found[field]!r} in the value, {event[field]!r} in the event")


def _headers(cancelled: Any, created: Any) -> None:
    for kind, headers in ((CANCELLED, cancelled), (CREATED, created)):
        right = {
            "message-id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} 1")).encode(),
            "type": kind.encode(),
            "version": b"1",
        }
        try:
            found = dict(headers)
        except (TypeError, ValueError) as error:
            raise Wrong(f"the headers are {headers!r}: a list of (name, bytes) is wanted") from error
        for name, value in right.items():
            if found.get(name) != value:
                raise Wrong(f"of a {kind} the header {name} is {found.get(name)!r}, {value!r} is right")


_MESSAGE = """\
    return Message(
        {key},
        {value},
        [("message-id", message_id.encode()), ("type", {kind}.encode()), ("version", b"1")],
    )
"""
_JSON = "json.dumps({field: event[field] for field in FIELDS}).encode()"


def _with(key: str = 'event["booking_id"].encode()', value: str = _JSON, kind: str = "kind") -> str:
    return _MESSAGE.format(key=key, value=value, kind=kind)


TASK = Task(
    id="3.1",
    title="A key that keeps order",
    names=("message_for",),
    hints=(
        (
            "Two messages with the same key lie on the same partition. Which messages must stay in order, and what do "
            "these, and only these, share?"
        ),
        (
            "The key is the booking's id, as bytes. The value: a dict made of FIELDS alone, through json.dumps, then "
            ".encode(). The headers: three pairs of a name and bytes."
        ),
        (
            'Message(key=event["booking_id"].encode(), value=json.dumps({field: event[field] for field in FIELDS})'
            '.encode(), headers=[("message-id", …), ("type", kind.encode()), ("version", b"1")]).'
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer("no key", code=_with("None"), says="keys None and None: its BookingCreatedEvent lies on"),
        WrongAnswer(
            "the event's id as key",
            code=_with('event["event_id"].encode()'),
            says="600 of 600 messages lie on partition",
        ),
        WrongAnswer(
            "the user's id as key", code=_with('event["user_id"].encode()'), says="Keys like b'agency' are shared"
        ),
        WrongAnswer(
            "the type as key", code=_with("kind.encode()"), says="keys b'BookingCreatedEvent' and b'BookingCancel"
        ),
        WrongAnswer("the message's id as key", code=_with("message_id.encode()"), says="the second may be read first"),
        WrongAnswer("a key with more in it", code=_with('b"b-" + event["booking_id"].encode()'), says="rely on it"),
        WrongAnswer("a key that is text", code=_with('event["booking_id"]'), says="Kafka takes bytes"),
        WrongAnswer("Python's own text", code=_with(value="str(event).encode()"), says="is no JSON"),
        WrongAnswer(
            "everything there is", code=_with(value="json.dumps(event).encode()"), says="also tells idempotency_key"
        ),
        WrongAnswer(
            "all values as text",
            code=_with(value="json.dumps({field: str(event[field]) for field in FIELDS}).encode()"),
            says="ticket_count is '2' in the value, 2 in the event",
        ),
        WrongAnswer(
            "always the same type",
            code=_with(kind='"BookingCreatedEvent"'),
            says="of a BookingCancelledEvent the header type",
        ),
    ),
)
