"""What this workbook adds to the roadmap's message: the key, the headers, cancellations, and their order."""

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial

from checklist import publishing
from checklist.messages import CANCELLED, CONTRACT, CREATED, HEADERS, Message
from checklist.publishing import FIELDS, expect_field
from checklist.story import Story

from workbook.checks.verdict import Wrong, expect, not_run

KEY = "give each message its booking's id as key: Kafka keeps order within a partition, and a key stays in one"
HEADER = (
    "send the headers message-id, type, version and traceparent: a reader decides by them before it reads the value"
)
TELL_CANCELLED = "publish a BookingCancelledEvent when a booking is cancelled, once, behind its BookingCreatedEvent"

_TRACE = re.compile(r"(?:[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})?")


def needs_headers(story: Story) -> None:
    """Ends the check without a verdict if the messages have nothing of what this workbook adds."""
    if not story.in_contract:
        not_run(f"needs the headers message-id, type, version, traceparent: {CONTRACT}")


def keyed(story: Story) -> None:
    for booking in story.booked:
        for message in story.about(booking):
            key = (message.key or b"").decode(errors="replace")
            told = f"the message of booking {booking.id} has " + (f"the key {key!r}" if key else "no key")
            expect(key == booking.id, told, KEY)


def has_header(story: Story, name: str) -> None:
    for message in story.messages:
        expect(name in message.headers, f"a message has no header {name}, it has {', '.join(message.headers)}", HEADER)
        value = message.headers[name]
        right, wanted = _RIGHT[name](value)
        expect(right, f"a message has the header {name} {value!r}, not {wanted}", HEADER)
    if name == "message-id":
        _expect_ids_of_their_own(story.messages)


def cancellations_told(story: Story) -> None:
    for booking in story.cancelled:
        told = {message.headers.get("message-id") for message in story.about(booking) if message.kind == CANCELLED}
        expect(told, "a booking that was cancelled led to no BookingCancelledEvent", TELL_CANCELLED)
        expect(
            len(told) == 1, f"a booking that was cancelled led to {len(told)} BookingCancelledEvents", TELL_CANCELLED
        )


def cancellations_right(story: Story) -> None:
    for booking in story.cancelled:
        for message in story.about(booking):
            if message.kind == CANCELLED:
                for name in FIELDS:
                    expect_field(message, booking, name)
                was = (message.fields or {}).get("previous_status")
                said = f"BookingCancelledEvent of a CONFIRMED booking has previous_status {was!r}"
                expect(was == "CONFIRMED", said, "tell what it was before: a reader takes from its sum by that")


def in_order(story: Story) -> None:
    """Each booking's messages are in one partition, BookingCreatedEvent first."""
    for booking in story.cancelled:
        about = story.about(booking)
        places = {(message.topic, message.partition) for message in about}
        expect(len(places) == 1, f"messages of one booking are in {len(places)} partitions", KEY)
        kinds = [message.kind for message in sorted(about, key=lambda message: message.offset)]
        expect(kinds[:1] == [CREATED], f"messages of one booking are in the order {', '.join(kinds)}", KEY)


def spread(messages: list[Message]) -> None:
    used = {(message.topic, message.partition) for message in messages}
    told = f"{len(messages)} messages with keys of their own are all in one partition"
    expect(len(used) > 1, told, "leave the choice of the partition to the key")


def what_is_wrong(story: Story) -> str:
    """What is wrong with the messages, in words; "" when a consumer can count them."""
    laws: list[Callable[[Story], None]] = [publishing.told_of, publishing.told_once, publishing.refused_not_told]
    laws += [publishing.is_json, *(partial(publishing.has_field, name=name) for name in publishing.FIELDS)]
    if story.in_contract:
        laws += [*(partial(has_header, name=name) for name in HEADERS), cancellations_told, cancellations_right]
    try:
        for law in laws:
            law(story)
    except Wrong as wrong:
        return wrong.said
    return ""


def _expect_ids_of_their_own(messages: list[Message]) -> None:
    by_id: dict[str, set[bytes]] = defaultdict(set)
    for message in messages:
        by_id[message.headers["message-id"]].add(message.value)
    shared = [values for values in by_id.values() if len(values) > 1]
    told = f"{len(shared[0])} different messages have one message-id" if shared else ""
    expect(not shared, told, "make a new id for each message, such as a random UUID")


def _is_uuid(value: str) -> bool:
    try:
        return bool(uuid.UUID(value))
    except ValueError:
        return False


_RIGHT: Mapping[str, Callable[[str], tuple[bool, str]]] = {
    "message-id": lambda value: (_is_uuid(value), "a UUID"),
    "type": lambda value: (value in {CREATED, CANCELLED}, f"{CREATED} or {CANCELLED}"),
    "version": lambda value: (value.isdecimal() and int(value) > 0, "a number such as 1"),
    "traceparent": lambda value: (bool(_TRACE.fullmatch(value)), "a W3C trace context, or nothing"),
}
