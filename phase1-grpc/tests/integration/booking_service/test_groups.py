"""Claims and confirmations that come at once share statements, and each is still decided by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import psycopg
import pytest
from booking_service import postgres as queries
from booking_service.config import BookingSettings
from booking_service.domain import Change, NewBooking, Status
from booking_service.postgres import PostgresBookings
from chassis.postgres import Connection, Database, DatabaseUnavailable


class CountingDatabase(Database):
    """Notes how often a connection was taken: in PostgresBookings, that is once a statement."""

    taken = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        self.taken += 1
        async with super().connection() as connection:
            yield connection


@pytest.fixture
def counting(database: Database) -> CountingDatabase:
    database.__class__ = CountingDatabase
    assert isinstance(database, CountingDatabase)
    return database


def wish(number: int, key: str | None = None) -> NewBooking:
    return NewBooking(f"user-{number}", f"event-{number}", number % 10 + 1, key)


async def test_what_comes_at_once_shares_a_statement(counting: CountingDatabase) -> None:
    bookings = PostgresBookings(counting)
    claimed = await asyncio.gather(*(bookings.claim(wish(number)) for number in range(50)))
    assert counting.taken == 2  # the first alone, the others together
    moved = await asyncio.gather(*(bookings.move(booking.id, Status.CONFIRMED) for booking in claimed))
    assert counting.taken == 4
    assert [(each.user_id, each.event_id, each.ticket_count) for each in claimed] == [
        (f"user-{number}", f"event-{number}", number % 10 + 1) for number in range(50)
    ]
    assert [booking.id for booking in moved] == [booking.id for booking in claimed]
    assert {booking.status for booking in moved} == {Status.CONFIRMED}


async def test_what_comes_one_by_one_does_not(counting: CountingDatabase) -> None:
    """The test above can fail."""
    bookings = PostgresBookings(counting)
    for number in range(5):
        await bookings.claim(wish(number))
    assert counting.taken == 5


async def test_in_a_group_each_key_is_one_booking(bookings: PostgresBookings, sql: psycopg.Connection) -> None:
    taken = await bookings.claim(wish(0, "taken"))
    wishes = [wish(0, "taken"), *(wish(number // 3, "key") for number in range(30)), wish(1), wish(1)]
    claimed = await asyncio.gather(*map(bookings.claim, wishes))
    assert claimed[0] == taken
    keyed, free = claimed[1:31], claimed[31:]
    assert [booking.user_id for booking in keyed] == [f"user-{number // 3}" for number in range(30)]
    assert len({booking.id for booking in keyed}) == 10
    assert len({booking.id for booking in free}) == 2
    assert sql.execute("SELECT FROM bookings").rowcount == 13


async def test_in_a_group_only_legal_moves_are_made(bookings: PostgresBookings) -> None:
    claimed = [await bookings.claim(wish(number)) for number in range(4)]
    await bookings.move(claimed[1].id, Status.CANCELLED, "ill")
    await bookings.move(claimed[2].id, Status.CONFIRMED)
    moves = [bookings.move(booking.id, Status.CONFIRMED) for booking in [*claimed, claimed[0]]]
    statuses = [booking.status for booking in await asyncio.gather(*moves)]
    assert statuses == [Status.CONFIRMED, Status.CANCELLED, Status.CONFIRMED, Status.CONFIRMED, Status.CONFIRMED]


async def test_in_a_group_what_cannot_be_also_written_undoes_its_own_booking_only(
    database: Database, sql: psycopg.Connection
) -> None:
    async def also_written(_connection: Connection, changes: Sequence[Change]) -> None:
        if "user-3" in {change.booking.user_id for change in changes}:
            raise LookupError

    bookings = PostgresBookings(database, {Status.PENDING: also_written})
    answers = await asyncio.gather(*(bookings.claim(wish(number)) for number in range(6)), return_exceptions=True)
    assert [isinstance(answer, LookupError) for answer in answers] == [number == 3 for number in range(6)]
    stored = sql.execute("SELECT user_id FROM bookings ORDER BY user_id").fetchall()
    assert stored == [(f"user-{number}",) for number in range(6) if number != 3]


async def test_a_group_is_also_written_at_once_in_its_transaction_and_told_after_it(
    database: Database, sql: psycopg.Connection
) -> None:
    transactions: list[tuple[int, int]] = []
    seen: list[int] = []

    async def also_written(connection: Connection, changes: Sequence[Change]) -> Callable[[], object]:
        row = await (await connection.execute("SELECT pg_current_xact_id()::text::bigint")).fetchone()
        assert row is not None
        transactions.append((row[0], len(changes)))
        return lambda: seen.append(sql.execute("SELECT FROM bookings").rowcount)

    bookings = PostgresBookings(database, {Status.PENDING: also_written})
    await asyncio.gather(*(bookings.claim(wish(number)) for number in range(5)))
    assert [changed for _, changed in transactions] == [1, 4]
    assert len({transaction for transaction, _ in transactions}) == 2
    assert seen == [1, 5]


async def one_row_held(settings: BookingSettings, sql: psycopg.Connection, stuck: int, limit: float) -> list[Status]:
    """What 20 confirmations come to within `limit` seconds, while somebody holds the row of a twenty-first."""
    limits = {"db_lock_timeout": limit, "db_statement_timeout": limit}
    async with Database(settings.model_copy(update=limits)) as database:
        bookings = PostgresBookings(database)
        ids = [(await bookings.claim(wish(number))).id for number in range(21)]
        with sql.transaction():
            sql.execute("SELECT FROM bookings WHERE id = %s FOR UPDATE", [ids[stuck]])
            moves = [asyncio.create_task(bookings.move(booking_id, Status.CONFIRMED)) for booking_id in ids]
            held = moves.pop(stuck)
            others = await asyncio.gather(*moves)
            assert not held.done()
        assert (await held).status is Status.CONFIRMED
    return [booking.status for booking in others]


@pytest.mark.parametrize("stuck", [0, 10])  # it comes first, and alone; in the midst of a group
async def test_a_row_that_somebody_holds_keeps_no_other_from_its_confirmation(
    settings: BookingSettings, sql: psycopg.Connection, stuck: int
) -> None:
    assert await one_row_held(settings, sql, stuck, limit=30) == [Status.CONFIRMED] * 20


async def test_waited_for_in_a_group_it_keeps_all_others(
    settings: BookingSettings, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    skipping = queries.for_many
    monkeypatch.setattr(queries, "for_many", lambda statement: skipping(statement).replace(" SKIP LOCKED", ""))
    with pytest.raises(DatabaseUnavailable):
        await one_row_held(settings, sql, stuck=10, limit=1)


async def opposite(database: Database, sql: psycopg.Connection, times: int) -> None:
    """Two services claim the same keys at once, each in the other's opposite order."""
    wishes = [wish(number, "key") for number in range(60)]
    one, other = PostgresBookings(database), PostgresBookings(database)
    for _ in range(times):
        sql.execute("TRUNCATE bookings")
        claimed = await asyncio.gather(*map(one.claim, wishes), *map(other.claim, reversed(wishes)))
        assert len({booking.id for booking in claimed}) == 60


async def test_two_services_who_want_the_same_keys_do_not_wait_in_a_circle(
    database: Database, sql: psycopg.Connection
) -> None:
    await opposite(database, sql, times=20)


async def test_without_an_order_they_do(
    database: Database, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    in_order = queries.for_many
    monkeypatch.setattr(queries, "for_many", lambda statement: in_order(statement).replace("ORDER BY 2, 5", ""))
    with pytest.raises(DatabaseUnavailable):
        await opposite(database, sql, times=500)
