"""Counting in PostgreSQL: each message once, in whatever batches and from however many consumers it comes."""

import asyncio
import random
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from messaging.contract import Received
from metrics_consumer import postgres as queries
from metrics_consumer.postgres import CannotCount, PostgresCounts, Sums
from tests.bookings import NOON, cancelled, created, received


async def test_a_day_of_bookings(counts: PostgresCounts) -> None:
    kept, regretted, refused = created(2), created(3), created(4)
    messages = received(kept, regretted, cancelled(regretted), cancelled(refused, was="PENDING"))
    assert await counts.count(messages) == 4
    assert await counts.totals() == Sums(confirmed=2, withdrawn=1, refused=1, tickets_sold=5, tickets_returned=3)


async def test_what_comes_again_changes_nothing(counts: PostgresCounts) -> None:
    booking = created()
    messages = received(booking, cancelled(booking))
    await counts.count(messages)
    once = await counts.totals()
    for again in (messages, messages[:1], messages[::-1], messages * 3):
        assert await counts.count(again) == 0
    assert await counts.totals() == once


async def test_twice_in_one_batch_counts_once(counts: PostgresCounts) -> None:
    assert await counts.count(received(created()) * 5) == 1
    assert (await counts.totals()).confirmed == 1


async def test_consumers_who_have_the_same_messages_count_each_once_and_do_not_wait_in_a_circle(
    counts: PostgresCounts,
) -> None:
    """As in a rebalance that takes partitions from those who are at work on them."""
    chance = random.Random(6)  # noqa: S311 - the same batches in every run
    days = [NOON + timedelta(days=number) for number in range(5)]
    messages = received(*(created(event_id=f"event-{number % 20}", at=days[number % 5]) for number in range(300)))
    batches = [chance.sample(messages, 100) for _ in range(40)]
    counted = await asyncio.gather(*map(counts.count, batches))
    sent = {message.id for batch in batches for message in batch}
    assert sum(counted) == (await counts.totals()).confirmed == len(sent)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=3))), "2025-12-31"),
        (datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC), "2026-01-01"),
    ],
)
async def test_a_day_is_one_of_utc(
    counts: PostgresCounts, metrics_sql: psycopg.Connection, at: datetime, day: str
) -> None:
    await counts.count(received(created(at=at.astimezone(UTC))))
    assert metrics_sql.execute("SELECT day::text, confirmed FROM daily_bookings").fetchall() == [(day, 1)]


async def test_a_cancellation_is_told_of_the_day_it_was_booked(
    counts: PostgresCounts, metrics_sql: psycopg.Connection
) -> None:
    booking = created(at=NOON - timedelta(days=40))
    await counts.count(received(booking))
    await counts.count(received(cancelled(booking)))
    rows = metrics_sql.execute("SELECT day, confirmed, withdrawn FROM daily_bookings").fetchall()
    assert rows == [(booking.created_at.date(), 1, 1)]


async def test_the_most_popular_events(counts: PostgresCounts) -> None:
    regretted = created(9, "opera")
    await counts.count(received(created(5, "jazz"), created(3, "rock"), created(4, "rock"), regretted))
    assert await counts.popular(2) == [("opera", 9), ("rock", 7)]
    await counts.count(received(cancelled(regretted)))
    assert await counts.popular(2) == [("rock", 7), ("jazz", 5)]


async def test_what_the_database_refuses_is_told_and_nothing_of_its_batch_is_counted(counts: PostgresCounts) -> None:
    bad = created(event_id="a\0b")  # no reader lets it through; text in PostgreSQL cannot hold it
    with pytest.raises(CannotCount):
        await counts.count(received(created(), bad))
    assert await counts.totals() == Sums()


# The guard, switched off


async def twice(counts: PostgresCounts) -> int:
    """How often a message is counted that a relay has sent twice."""
    (message,) = received(created())
    for _ in range(2):
        await counts.count([message])
    return (await counts.totals()).confirmed


async def test_a_message_sent_twice_counts_once(counts: PostgresCounts) -> None:
    assert await twice(counts) == 1


async def test_known_by_something_else_than_its_id_it_counts_twice(
    counts: PostgresCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: an offset, as a key, is new each time that a message is sent."""
    row = queries._row

    def by_offset(message: Received) -> tuple[object, ...]:
        offsets.append(len(offsets))
        return (f"00000000-0000-0000-0000-{offsets[-1]:012}", *row(message)[1:])

    offsets: list[int] = []
    monkeypatch.setattr(queries, "_row", by_offset)
    assert await twice(counts) == 2


async def test_it_is_ready_when_its_tables_can_be_read(counts: PostgresCounts, metrics_sql: psycopg.Connection) -> None:
    await counts.ready()
    metrics_sql.execute("ALTER TABLE daily_bookings RENAME TO elsewhere")
    with pytest.raises(psycopg.Error):
        await counts.ready()
    metrics_sql.execute("ALTER TABLE elsewhere RENAME TO daily_bookings")
