"""A change of a booking and its message are there together, or neither is."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from booking_outbox.app import MIGRATIONS
from booking_outbox.config import OutboxSettings
from booking_outbox.outbox import Outbox
from booking_service.domain import Change, NewBooking, Status
from booking_service.postgres import PostgresBookings
from chassis.migrations import migrate
from chassis.postgres import Connection, Database
from messaging.contract import BookingCancelledEvent, BookingCreatedEvent, headers_of, read

ADA = NewBooking("ada", "jazz", 2)
CREATED, CANCELLED = "BookingCreatedEvent", "BookingCancelledEvent"


def written(sql: psycopg.Connection) -> list[tuple[Any, ...]]:
    return sql.execute("SELECT booking_id, type, value FROM outbox ORDER BY id").fetchall()


async def test_who_becomes_confirmed_and_cancelled_is_told_of_and_who_is_pending_is_not(
    bookings: PostgresBookings, outbox_sql: psycopg.Connection
) -> None:
    booking = await bookings.claim(ADA)
    assert written(outbox_sql) == []
    for target in (Status.CONFIRMED, Status.CONFIRMED, Status.CANCELLED, Status.CANCELLED, Status.CONFIRMED):
        await bookings.move(booking.id, target)
    found = written(outbox_sql)
    assert [(booking_id, kind) for booking_id, kind, _ in found] == [(booking.id, CREATED), (booking.id, CANCELLED)]
    created = json.loads(found[0][2])
    assert {name: created[name] for name in ("booking_id", "user_id", "event_id", "ticket_count")} == {
        "booking_id": str(booking.id),
        "user_id": "ada",
        "event_id": "jazz",
        "ticket_count": 2,
    }
    assert created["created_at"] == booking.created_at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("was", [Status.PENDING, Status.CONFIRMED])
async def test_a_cancellation_tells_what_the_booking_was(
    bookings: PostgresBookings, outbox_sql: psycopg.Connection, was: Status
) -> None:
    booking = await bookings.claim(ADA)
    if was is Status.CONFIRMED:
        await bookings.move(booking.id, was)
    await bookings.move(booking.id, Status.CANCELLED, "the band is ill")
    value = json.loads(written(outbox_sql)[-1][2])
    assert (value["previous_status"], value["reason"]) == (was, "the band is ill")


async def test_a_change_undone_leaves_no_message(database: Database, outbox_sql: psycopg.Connection) -> None:
    outbox = Outbox(lambda: None)

    async def then_fail(connection: Connection, changes: Sequence[Change]) -> None:
        await outbox.also_written[Status.CONFIRMED](connection, changes)
        raise LookupError

    bookings = PostgresBookings(database, {Status.CONFIRMED: then_fail})
    booking = await bookings.claim(ADA)
    with pytest.raises(LookupError):
        await bookings.move(booking.id, Status.CONFIRMED)
    assert written(outbox_sql) == []


async def test_those_who_share_a_statement_share_the_one_that_writes_their_messages(
    database: Database, outbox_sql: psycopg.Connection
) -> None:
    woken: list[int] = []
    bookings = PostgresBookings(database, Outbox(lambda: woken.append(len(written(outbox_sql)))).also_written)
    claimed = [await bookings.claim(ADA) for _ in range(20)]
    await asyncio.gather(*(bookings.move(booking.id, Status.CONFIRMED) for booking in claimed))
    assert woken == [1, 20]  # the first alone, the others together; each time what was committed could be read
    assert {booking_id for booking_id, _, _ in written(outbox_sql)} == {booking.id for booking in claimed}


async def test_the_trace_of_a_booking_is_kept_with_its_message(
    database: Database, outbox_sql: psycopg.Connection
) -> None:
    bookings = PostgresBookings(
        database, Outbox(lambda: None, lambda booking_id: f"trace of {booking_id}").also_written
    )
    booking = await bookings.claim(ADA)
    await bookings.move(booking.id, Status.CANCELLED)
    assert outbox_sql.execute("SELECT traceparent FROM outbox").fetchall() == [(f"trace of {booking.id}",)]


def test_what_was_booked_before_is_told_too(outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection) -> None:
    """As a database of phase 2 becomes one of phase 3."""
    migrate(outbox_settings, MIGRATIONS, "-1")
    ids = {status: uuid.uuid4() for status in Status}
    for status, booking_id in ids.items():
        values = [booking_id, status, "EXPIRED" if status is Status.CANCELLED else ""]
        outbox_sql.execute(
            "INSERT INTO bookings (id, user_id, event_id, ticket_count, status, reason)"
            " VALUES (%s, 'ada', 'jazz', 2, %s, %s)",
            values,
        )
    migrate(outbox_settings, MIGRATIONS)
    found = [read(headers_of(uuid.uuid4(), kind, ""), value.encode()) for _, kind, value in written(outbox_sql)]
    events = {message.event.booking_id: message.event for message in found if message is not None}
    assert set(events) == {ids[Status.CONFIRMED], ids[Status.CANCELLED]}
    assert isinstance(events[ids[Status.CONFIRMED]], BookingCreatedEvent)
    cancelled = events[ids[Status.CANCELLED]]
    assert isinstance(cancelled, BookingCancelledEvent)
    assert (cancelled.previous_status, cancelled.reason) == ("PENDING", "EXPIRED")


async def test_what_is_told_again_after_a_step_back_has_the_id_it_had(
    bookings: PostgresBookings, outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection
) -> None:
    """So it is counted once: whoever migrates back and forward again tells of every booking a second time."""
    one, other = [await bookings.claim(ADA) for _ in range(2)]
    await bookings.move(one.id, Status.CONFIRMED)
    await bookings.move(other.id, Status.CONFIRMED)
    await bookings.move(other.id, Status.CANCELLED)
    before = ids(outbox_sql)
    migrate(outbox_settings, MIGRATIONS, "-1")
    migrate(outbox_settings, MIGRATIONS)
    assert len(set(before.values())) == 3
    del before[other.id, CREATED]  # which is not known any more
    assert ids(outbox_sql) == before


def ids(sql: psycopg.Connection) -> dict[tuple[uuid.UUID, str], uuid.UUID]:
    found = sql.execute("SELECT booking_id, type, message_id FROM outbox")
    return {(booking_id, kind): message_id for booking_id, kind, message_id in found}
