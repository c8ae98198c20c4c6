"""The messages: old readers understand new ones, new readers old ones, and both say no to what they cannot know."""

import contextlib
import json
import uuid
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import messaging
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from messaging.contract import (
    EVENTS,
    BookingCancelledEvent,
    BookingCreatedEvent,
    BookingEvent,
    Event,
    Headers,
    Unreadable,
    headers_of,
    read,
    value_of,
)
from tests.bookings import NOON, cancelled, created

DATA = Path(__file__).parents[2] / "data"
SCHEMAS = {
    schema["title"]: schema
    for schema in (json.loads(path.read_text()) for path in Path(messaging.__file__).parent.glob("schemas/*.v1.json"))
}
CREATED, CANCELLED = BookingCreatedEvent.TYPE, BookingCancelledEvent.TYPE
OLD = {
    "booking_created.roadmap.json": CREATED,
    "booking_created.v1.json": CREATED,
    "booking_cancelled.v1.json": CANCELLED,
}


def headers(kind: str = CREATED) -> Headers:
    return headers_of(uuid.uuid4(), kind, "")


def event_of(kind: str, value: bytes) -> Event:
    message = read(headers(kind), value)
    assert message is not None
    return message.event


@dataclass(frozen=True)
class RoadmapReader:
    """The first reader there ever was: the roadmap's five fields. It passes over what it does not know, as Go does."""

    booking_id: str
    user_id: str
    event_id: str
    ticket_count: int
    created_at: datetime

    @classmethod
    def read(cls, value: bytes) -> Self:
        found = json.loads(value)
        found["created_at"] = datetime.fromisoformat(found["created_at"])
        return cls(**{field.name: found[field.name] for field in fields(cls)})


def test_a_message_is_read_as_it_was_written() -> None:
    booking = replace(created(), confirmed_at=NOON)
    gone = replace(cancelled(booking), reason="the band is ill ♪", cancelled_at=NOON)
    for event in (booking, gone, created(), cancelled(created(), was="PENDING")):
        message_id = uuid.uuid4()
        message = read(headers_of(message_id, event.TYPE, "00-trace-01"), value_of(event).encode())
        assert message is not None
        assert (message.id, message.event) == (message_id, event)


# Old readers, new messages


@pytest.mark.parametrize("event", [created(), cancelled(created())], ids=lambda event: event.TYPE)
def test_the_roadmaps_reader_understands_the_messages_of_today(event: Event) -> None:
    value = value_of(event).encode()
    found = RoadmapReader.read(value)
    assert (found.booking_id, found.ticket_count, found.created_at) == (str(event.booking_id), 2, NOON)


@pytest.mark.parametrize("name", OLD)
def test_todays_reader_passes_over_fields_of_the_future(name: str) -> None:
    value = json.loads((DATA / name).read_bytes())
    later = {**value, "seats": ["A1", {"row": 2}], "price": None}
    assert event_of(OLD[name], json.dumps(later).encode()) == event_of(OLD[name], json.dumps(value).encode())


def test_todays_reader_passes_over_types_and_headers_of_the_future() -> None:
    value = value_of(created()).encode()
    assert read(headers("BookingMovedEvent"), value) is None
    assert read([*headers(), ("priority", b"\x00"), ("empty", None)], value) is not None


def test_todays_reader_refuses_a_version_of_the_future() -> None:
    later = [(name, b"2" if name == "version" else value) for name, value in headers()]
    with pytest.raises(Unreadable, match="version 2 of BookingCreatedEvent is not known here, only 1 to 1"):
        read(later, value_of(created()).encode())


# New readers, old messages


@pytest.mark.parametrize("name", OLD)
def test_todays_reader_understands_the_messages_of_before(name: str) -> None:
    event = event_of(OLD[name], (DATA / name).read_bytes())
    assert (event.user_id, event.event_id, event.ticket_count) == ("ada", "jazz", 2)
    assert event.created_at == datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)


@pytest.mark.parametrize("kind", EVENTS)
def test_an_optional_field_that_is_missing_gets_its_default(kind: str) -> None:
    value = json.loads(value_of(created()))
    required = {**value, "previous_status": "PENDING"} if kind == CANCELLED else value
    event = event_of(kind, json.dumps(required).encode())
    optional = {field.name: field.default for field in fields(event) if field.name not in required}
    assert optional
    assert {name: getattr(event, name) for name in optional} == optional


@pytest.mark.parametrize("kind", EVENTS)
def test_a_required_field_that_is_missing_makes_it_unreadable(kind: str) -> None:
    whole = {**json.loads(value_of(created())), "previous_status": "PENDING"}
    for name in SCHEMAS[kind]["required"]:
        without = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(Unreadable, match=f"{name} is missing"):
            read(headers(kind), json.dumps(without).encode())


@pytest.mark.parametrize("name", ["message-id", "type", "version"])
def test_a_header_that_is_missing_makes_it_unreadable(name: str) -> None:
    without = [each for each in headers() if each[0] != name]
    with pytest.raises(Unreadable, match=f"no header '{name}'"):
        read(without, value_of(created()).encode())


# The schemas


def test_there_is_a_schema_for_each_message_and_it_names_every_field() -> None:
    assert set(SCHEMAS) == set(EVENTS)
    for kind, schema in SCHEMAS.items():
        Draft202012Validator.check_schema(schema)
        assert set(schema["properties"]) == {field.name for field in fields(EVENTS[kind])}
        assert {field.name for field in fields(BookingEvent)} <= set(schema["required"])


@pytest.mark.parametrize("name", OLD)
def test_messages_of_before_are_what_the_schema_says(name: str) -> None:
    Draft202012Validator(SCHEMAS[OLD[name]]).validate(json.loads((DATA / name).read_bytes()))


NAMES = st.text(alphabet="ab9._:@- /é", max_size=66)
TIMES = st.sampled_from(
    [
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:00:00.123456789+03:00",
        "2026-11-24 12:00:00Z",
        "2026-11-24T12:00:00",
        "now",
    ]
)
IDS = st.sampled_from([str(uuid.UUID(int=7)), str(uuid.UUID(int=7)).upper(), uuid.UUID(int=7).hex, "7", ""])
ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.lists(st.none(), max_size=1), st.just({}))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "booking_id": IDS,
    "user_id": NAMES,
    "event_id": NAMES,
    "ticket_count": st.integers(-2, 2**31 + 1),
    "created_at": TIMES,
    "confirmed_at": TIMES,
    "previous_status": st.sampled_from(["PENDING", "CONFIRMED", "CANCELLED", ""]),
    "reason": st.text(max_size=202),
    "cancelled_at": TIMES,
}
MESSAGES = st.fixed_dictionaries(
    {}, optional={name: st.one_of(values, values, values, ODD) for name, values in VALUES.items()}
)


@given(st.sampled_from(sorted(EVENTS)), MESSAGES)
def test_reader_and_schema_agree_on_every_message(kind: str, value: dict[str, Any]) -> None:
    """Each value alone in an else right message, and all of them together."""
    name = "booking_created.v1.json" if kind == CREATED else "booking_cancelled.v1.json"
    right = json.loads((DATA / name).read_text())
    known = {name: each for name, each in value.items() if name in right}
    for message in ({**right, **known}, value, *({**right, name: each} for name, each in known.items())):
        assert readable(kind, message) == Draft202012Validator(SCHEMAS[kind]).is_valid(message), message


def readable(kind: str, message: dict[str, Any]) -> bool:
    try:
        read(headers(kind), json.dumps(message).encode())
    except Unreadable:
        return False
    return True


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_unreadable(value: bytes) -> None:
    right = value_of(created()).encode()
    spoiled = [
        [(each, value if each == name else content) for each, content in headers()]
        for name in ("message-id", "type", "version")
    ]
    for heads, body in ((headers(), value), *((each, right) for each in spoiled)):
        with contextlib.suppress(Unreadable):
            read(heads, body)


@pytest.mark.parametrize("at", ["2026-13-01T00:00:00Z", "2026-11-24T25:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_never_was_is_unreadable(at: str) -> None:
    value = {**json.loads(value_of(created())), "created_at": at}
    with pytest.raises(Unreadable, match="created_at"):
        read(headers(), json.dumps(value).encode())
