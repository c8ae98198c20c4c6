"""What a booking service promises about its messages. Box 3.2 checks each; box 3.3 asks first whether all hold."""

from datetime import datetime, timedelta
from typing import Any

from checklist.messages import CANCELLED, Message
from checklist.story import Story

from workbook.checks.verdict import Wrong, expect

PUBLISH = "when a booking is made, publish a BookingCreatedEvent, and wait until Kafka has confirmed it"
AFTER_COMMIT = "publish what is committed: write the message beside the booking in one transaction, send it after that"
ONCE = "one booking is one message: publish where the booking changes, not where the call is answered"
JSON = "write the roadmap's BookingCreatedEvent as JSON: booking_id, user_id, event_id, ticket_count, created_at"
SAME_ID = "give a message its id when it is written down, so that it has the same one each time it is sent"

FIELDS = ("booking_id", "user_id", "event_id", "ticket_count", "created_at")

_CLOCK = 5  # seconds that two looks at the clock for one booking may be apart
_KINDS: dict[type, str] = {str: "text", int: "number"}


def told_of(story: Story) -> None:
    """Wrong unless every booking has a message."""
    silent = [booking for booking in story.booked if not story.created(booking)]
    all_of = len(story.booked)
    expect(not silent, f"{len(silent)} of {all_of} bookings led to no message in any topic of Kafka", PUBLISH)


def told_once(story: Story) -> None:
    _once([booking for booking in story.booked if booking is not story.retried], story, "a booking")


def retried_once(story: Story) -> None:
    _once([story.retried], story, "a booking sent twice with one idempotency_key")


def not_told_early(story: Story) -> None:
    told = f"the message of {len(story.early)} bookings was there before the booking: GetBooking did not know it yet"
    expect(not story.early, told, AFTER_COMMIT)


def refused_not_told(story: Story) -> None:
    wrong = [message for message in story.log.about(story.refused) if message.kind != CANCELLED]
    told = f"a booking that was refused led to {wrong[0].kind or 'a message'}" if wrong else ""
    expect(not wrong, told, AFTER_COMMIT)


def is_json(story: Story) -> None:
    for booking in story.booked:
        for message in story.created(booking)[:1]:
            told = f"the message of a booking is no JSON object: {message.value[:80]!r}"
            expect(message.fields is not None, told, JSON)


def has_field(story: Story, name: str) -> None:
    for booking in story.booked:
        for message in story.created(booking)[:1]:
            expect_field(message, booking, name)


def expect_field(message: Message, booking: Any, name: str) -> None:
    """Wrong unless the field says what the booking is."""
    fields = message.fields or {}
    where = message.kind or "the message of a booking"
    if name not in fields:
        raise Wrong(f"{where} has no field {name}, it has {', '.join(fields) or 'none'}", JSON)
    found = fields[name]
    if name == "created_at":
        _expect_time(where, found, booking.created_at.ToDatetime())
        return
    wanted = getattr(booking, "id" if name == "booking_id" else name)
    same_type = type(found) is type(wanted)
    expect(same_type, f"{where} has {name} {found!r}, not the {_KINDS[type(wanted)]} {wanted!r}", JSON)
    expect(found == wanted, f"{where} has {name} {found!r}, the booking has {wanted!r}", "tell what was booked")


def _expect_time(where: str, found: Any, wanted: datetime) -> None:
    try:
        moment = datetime.fromisoformat(found)
    except (TypeError, ValueError):
        moment = None
    told = f"{where} has created_at {found!r}, no time with a time zone as RFC 3339 has it"
    expect(moment is not None and moment.tzinfo is not None, told, "write it like 2026-02-03T12:00:00Z")
    away = (moment.replace(tzinfo=None) - (moment.utcoffset() or timedelta()) - wanted).total_seconds() if moment else 0
    told = f"created_at in {where} is {away:+.1f} seconds from the booking's"
    expect(abs(away) < _CLOCK, told, "tell when it was booked, in UTC or with the right offset")


def _once(bookings: list[Any], story: Story, what: str) -> None:
    for booking in bookings:
        created = story.created(booking)
        ids = {message.headers.get("message-id") or message.place for message in created}
        with_ids = bool(created) and created[0].in_contract
        said = f"{what} led to {len(ids)} messages" + (" with ids of their own" if with_ids else "")
        expect(len(ids) <= 1, said, SAME_ID if with_ids else ONCE)
