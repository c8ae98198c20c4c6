"""Messages about bookings, as a booking service would send them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from messaging.contract import (
    BookingCancelledEvent,
    BookingCreatedEvent,
    Event,
    Headers,
    Received,
    headers_of,
    value_of,
)
from messaging.incoming import Incoming

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


def created(tickets: int = 2, event_id: str = "jazz", at: datetime = NOON) -> BookingCreatedEvent:
    """A new booking becomes CONFIRMED."""
    return BookingCreatedEvent(
        booking_id=uuid.uuid4(), user_id="ada", event_id=event_id, ticket_count=tickets, created_at=at
    )


def cancelled(
    booking: BookingCreatedEvent, was: Literal["PENDING", "CONFIRMED"] = "CONFIRMED"
) -> BookingCancelledEvent:
    return BookingCancelledEvent(
        booking_id=booking.booking_id,
        user_id=booking.user_id,
        event_id=booking.event_id,
        ticket_count=booking.ticket_count,
        created_at=booking.created_at,
        previous_status=was,
    )


def sent(event: Event, message_id: uuid.UUID | None = None) -> tuple[bytes, Headers]:
    """The value and the headers of its message."""
    return value_of(event).encode(), headers_of(message_id or uuid.uuid4(), event.TYPE, "")


def received(*events: Event) -> list[Received]:
    return [Received(uuid.uuid4(), event) for event in events]


def incoming(messages: Sequence[tuple[bytes | None, Headers]], partition: int = 0, first: int = 0) -> list[Incoming]:
    """These messages as one partition holds them, from offset `first` on."""
    return [
        Incoming("bookings", partition, first + number, b"key", value, headers)
        for number, (value, headers) in enumerate(messages)
    ]
