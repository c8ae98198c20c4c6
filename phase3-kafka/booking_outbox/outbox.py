"""Writes a booking's messages beside the booking: both are there, or neither.

A message is a row in a table of the same database, written in the transaction that changes the booking. A crash at any
moment leaves either no change and no row, or the change and the row that the relay will find.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from booking_service.domain import Change, Status
from booking_service.postgres import AlsoWritten
from chassis.postgres import Connection
from messaging.contract import BookingCancelledEvent, BookingCreatedEvent, Event, value_of

WRITE = """
INSERT INTO outbox (booking_id, type, value, traceparent)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[])
"""


class Outbox:
    """`wake` is called when rows are committed; `traceparent` tells the trace a booking belongs to, "" for none."""

    def __init__(self, wake: Callable[[], object], traceparent: Callable[[uuid.UUID], str] = lambda _: "") -> None:
        self._wake = wake
        self._traceparent = traceparent

    @property
    def also_written(self) -> AlsoWritten:
        """What to plug into PostgresBookings. A booking that becomes PENDING says nothing: nobody was told of it."""
        return {Status.CONFIRMED: self._write, Status.CANCELLED: self._write}

    async def _write(self, connection: Connection, changes: Sequence[Change]) -> Callable[[], object]:
        await connection.execute(WRITE, [list(column) for column in zip(*map(self._row, changes), strict=True)])
        return self._wake

    def _row(self, change: Change) -> tuple[Any, ...]:
        event = told(change)
        return event.booking_id, event.TYPE, value_of(event), self._traceparent(event.booking_id)


def told(change: Change) -> Event:
    """The message that a change gives."""
    booking = change.booking
    if booking.status is Status.CONFIRMED:
        return BookingCreatedEvent(
            booking_id=booking.id,
            user_id=booking.user_id,
            event_id=booking.event_id,
            ticket_count=booking.ticket_count,
            created_at=booking.created_at,
            confirmed_at=booking.updated_at,
        )
    return BookingCancelledEvent(
        booking_id=booking.id,
        user_id=booking.user_id,
        event_id=booking.event_id,
        ticket_count=booking.ticket_count,
        created_at=booking.created_at,
        previous_status="CONFIRMED" if change.was is Status.CONFIRMED else "PENDING",
        reason=booking.reason,
        cancelled_at=booking.updated_at,
    )
