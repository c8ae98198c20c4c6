"""Pages that neither lose nor repeat a booking, and the usual way that does."""

import uuid
from datetime import UTC, datetime

import psycopg
from booking_service.domain import Booking, NewBooking
from booking_service.postgres import PostgresBookings
from chassis.paging import Position

ADA = NewBooking("ada", "concert", 2)


async def all_pages(bookings: PostgresBookings) -> list[Booking]:
    found: list[Booking] = []
    while page := await bookings.of_user("ada", 2, Position(found[-1].created_at, found[-1].id) if found else None):
        found += page
    return found


async def test_bookings_of_the_same_moment_are_not_lost_between_pages(
    bookings: PostgresBookings, sql: psycopg.Connection
) -> None:
    made = {(await bookings.claim(ADA)).id for _ in range(9)}
    sql.execute("UPDATE bookings SET created_at = %s, updated_at = now()", [datetime(2026, 1, 1, tzinfo=UTC)])
    found = [booking.id for booking in await all_pages(bookings)]
    assert len(found) == 9
    assert set(found) == made


async def test_pages_by_offset_would_show_bookings_twice(bookings: PostgresBookings, sql: psycopg.Connection) -> None:
    """The test above can fail: the usual LIMIT and OFFSET."""
    for _ in range(9):
        await bookings.claim(ADA)
    seen: list[uuid.UUID] = []
    for offset in range(0, 9, 2):
        newest = "SELECT id FROM bookings ORDER BY created_at DESC, id DESC LIMIT 2 OFFSET %s"
        seen += [booking_id for (booking_id,) in sql.execute(newest, [offset])]
        await bookings.claim(ADA)
    assert len(set(seen)) < len(seen)
