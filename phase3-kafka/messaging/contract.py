"""The messages about bookings: what stands in them, and how they are written and read.

The schemas in `schemas/` say the same in JSON Schema, for readers in other languages. They only grow: a reader passes
over fields and types it does not know, and takes a default for an optional field that is not there. What breaks that
needs a new version, and a reader refuses a version it has not learned.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeAlias

VERSION = 1
HEADERS = ("message-id", "type", "version", "traceparent")

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]


class Unreadable(Exception):
    """The bytes are no message that can ever be understood; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingEvent:
    """What every message about a booking tells: the fields of the roadmap."""

    booking_id: uuid.UUID
    user_id: str
    event_id: str
    ticket_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCreatedEvent(BookingEvent):
    """A booking became CONFIRMED. One that is still PENDING is nobody's business: it may never be."""

    TYPE: ClassVar[str] = "BookingCreatedEvent"

    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCancelledEvent(BookingEvent):
    """A booking became CANCELLED; `previous_status` tells whether a BookingCreatedEvent came before it."""

    TYPE: ClassVar[str] = "BookingCancelledEvent"

    previous_status: Literal["PENDING", "CONFIRMED"]
    reason: str = ""
    cancelled_at: datetime | None = None


Event: TypeAlias = BookingCreatedEvent | BookingCancelledEvent
EVENTS: Mapping[str, type[Event]] = {kind.TYPE: kind for kind in (BookingCreatedEvent, BookingCancelledEvent)}


def value_of(event: Event) -> str:
    """The JSON of a message; times as RFC 3339 in UTC. An optional field without a value is left out."""
    values = ((field.name, getattr(event, field.name)) for field in fields(event))  # asdict takes four times as long
    return json.dumps({name: _written(value) for name, value in values if value is not None})


def headers_of(message_id: uuid.UUID, kind: str, traceparent: str) -> list[tuple[str, bytes | None]]:
    values = (str(message_id), kind, str(VERSION), traceparent)
    return [(name, value.encode()) for name, value in zip(HEADERS, values, strict=True)]


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was understood; `id` is the same each time it is delivered."""

    id: uuid.UUID
    event: Event


def read(headers: Headers | None, value: bytes | None) -> Received | None:
    """The message, or None when it is of a type that this reader does not know; raises Unreadable."""
    try:
        known = {name: bytes(content or b"").decode() for name, content in headers or ()}
        message_id, kind, version = uuid.UUID(known["message-id"]), known["type"], int(known["version"])
    except KeyError as missing:
        raise Unreadable(f"it has no header {missing}") from None
    except ValueError as error:
        raise Unreadable(f"its headers: {error}") from None
    if kind not in EVENTS:
        return None
    if not 1 <= version <= VERSION:
        raise Unreadable(f"version {version} of {kind} is not known here, only 1 to {VERSION}")
    return Received(message_id, _event(EVENTS[kind], _object(value)))


def _object(value: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(value or b"")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Unreadable("it is no JSON object")
    return found


def _event(kind: type[Event], found: Mapping[str, Any]) -> Event:
    values = {}
    for field in fields(kind):
        if field.name in found:
            values[field.name] = _field(field.name, found[field.name])
        elif field.default is MISSING:
            raise Unreadable(f"{field.name} is missing")
    return kind(**values)


def _field(name: str, value: Any) -> Any:
    try:
        return READERS[name](value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable(f"{name}: {error}") from None


_NAME = re.compile(r"[A-Za-z0-9._:@-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_MOST_TICKETS, _LONGEST_REASON = 2**31 - 1, 200


def _name(value: str) -> str:
    return _matching(_NAME, value, "1 to 64 letters, digits or . _ : @ -")


def _uuid(value: str) -> uuid.UUID:
    return uuid.UUID(_matching(_UUID, value, "a UUID"))


def _time(value: str) -> datetime:
    return datetime.fromisoformat(_matching(_TIME, value, "a time as RFC 3339 has it")).astimezone(UTC)


def _matching(form: re.Pattern[str], value: str, what: str) -> str:
    if not form.fullmatch(value):
        raise ValueError(f"must be {what}")
    return value


def _count(value: int) -> int:
    if type(value) is not int or not 1 <= value <= _MOST_TICKETS:  # True is an int, and no number of tickets
        raise ValueError(f"must be a whole number from 1 to {_MOST_TICKETS}")
    return value


def _previous(value: str) -> str:
    if value not in {"PENDING", "CONFIRMED"}:
        raise ValueError("must be PENDING or CONFIRMED")
    return value


def _reason(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_REASON:
        raise ValueError(f"must be at most {_LONGEST_REASON} characters")
    return value


READERS: Mapping[str, Callable[[Any], Any]] = {
    "booking_id": _uuid,
    "user_id": _name,
    "event_id": _name,
    "ticket_count": _count,
    "created_at": _time,
    "confirmed_at": _time,
    "previous_status": _previous,
    "reason": _reason,
    "cancelled_at": _time,
}


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, uuid.UUID) else value
