"""I4: what was counted is what was booked, to the unit. The check sees each way in which it may not be."""

import psycopg
import pytest
from booking_outbox.config import OutboxSettings
from booking_outbox.outbox import Outbox
from booking_service.domain import NewBooking, Status
from booking_service.postgres import PostgresBookings
from chassis.postgres import Database
from counting_laws import LAWS, miscounted
from messaging.contract import headers_of, read
from metrics_consumer.config import MetricsSettings
from metrics_consumer.postgres import PostgresCounts

Databases = tuple[OutboxSettings, MetricsSettings]


@pytest.fixture
async def counted(
    outbox_settings: OutboxSettings, metrics_settings: MetricsSettings, outbox_sql: psycopg.Connection
) -> Databases:
    """A booking of each kind, all of them counted."""
    async with Database(outbox_settings) as at_bookings, Database(metrics_settings) as at_metrics:
        bookings = PostgresBookings(at_bookings, Outbox(lambda: None).also_written)
        made = [await bookings.claim(NewBooking("ada", f"event-{number}", number + 1)) for number in range(4)]
        for booking in made[:2]:
            await bookings.move(booking.id, Status.CONFIRMED)
        for booking in made[1:3]:
            await bookings.move(booking.id, Status.CANCELLED)
        rows = outbox_sql.execute("DELETE FROM outbox RETURNING message_id, type, value").fetchall()
        found = [read(headers_of(message_id, kind, ""), value.encode()) for message_id, kind, value in rows]
        await PostgresCounts(at_metrics).count([message for message in found if message is not None])
    return outbox_settings, metrics_settings


def test_at_rest_it_holds(counted: Databases) -> None:
    assert miscounted(*counted) == []
    assert "I4" in LAWS


WRONG_COUNTS = {
    "a message lost": "DELETE FROM counted WHERE status = 'CONFIRMED'",
    "a message counted under two ids": "INSERT INTO counted"
    " SELECT gen_random_uuid(), booking_id, status, previous_status FROM counted WHERE status = 'CONFIRMED' LIMIT 1",
    "a message of no booking": "INSERT INTO counted"
    " VALUES (gen_random_uuid(), gen_random_uuid(), 'CONFIRMED', 'PENDING')",
    "a withdrawal taken for a refusal": "UPDATE counted SET previous_status = 'PENDING'"
    " WHERE previous_status = 'CONFIRMED'",
    "a sum of a day too high": "UPDATE daily_bookings SET confirmed = confirmed + 1",
    "a sum of tickets too high": "UPDATE event_bookings SET tickets_sold = tickets_sold + 1 WHERE event_id = 'event-0'",
    "a day that never was": "INSERT INTO daily_bookings VALUES ('2000-01-01', 1, 0, 0, 1, 0)",
    "an event forgotten": "DELETE FROM event_bookings WHERE event_id = 'event-0'",
}


@pytest.mark.parametrize("damage", WRONG_COUNTS.values(), ids=WRONG_COUNTS)
def test_damage_to_the_counts_is_seen(counted: Databases, metrics_sql: psycopg.Connection, damage: str) -> None:
    metrics_sql.execute(damage)
    assert {broken.law for broken in miscounted(*counted)} == {"I4"}


WRONG_BOOKINGS = {
    "a booking that nobody was told of": "UPDATE bookings SET status = 'CONFIRMED' WHERE status = 'PENDING'",
    "a cancellation that nobody was told of": "UPDATE bookings SET status = 'CANCELLED' WHERE status = 'CONFIRMED'",
    "a booking gone": "DELETE FROM bookings WHERE status = 'CONFIRMED'",
    "another number of tickets": "UPDATE bookings SET ticket_count = 9 WHERE status = 'CONFIRMED'",
}


@pytest.mark.parametrize("damage", WRONG_BOOKINGS.values(), ids=WRONG_BOOKINGS)
def test_damage_to_the_bookings_is_seen(counted: Databases, outbox_sql: psycopg.Connection, damage: str) -> None:
    outbox_sql.execute(damage)
    assert {broken.law for broken in miscounted(*counted)} == {"I4"}
