"""Wishes that wait for one event share a statement, and each is decided as if they had come one by one."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from chassis.grouping import Groupings, TooManyWaiting
from chassis.postgres import Connection, Database
from event_service.config import EventSettings
from event_service.domain import Event, Wish
from event_service.postgres import PostgresEvents
from tests.wishes import answers_to, balanced, holders, locked, made, queued, told, wishes_of

from workbook.part import Part


@pytest.fixture
async def event(events: PostgresEvents) -> Event:
    return await made(events)


# One by one


@dataclass
class Model:
    """The event service in plain Python, one wish after the other."""

    left: int
    held: dict[uuid.UUID, int] = field(default_factory=dict)
    released: set[uuid.UUID] = field(default_factory=set)

    def reserve(self, wish: Wish) -> int | str:
        if wish.booking_id in self.released:
            return "AlreadyReleased"
        if wish.booking_id in self.held:
            return self.left if self.held[wish.booking_id] == wish.ticket_count else "OtherReservation"
        if wish.ticket_count > self.left:
            return "SoldOut"
        self.left -= wish.ticket_count
        self.held[wish.booking_id] = wish.ticket_count
        return self.left


@pytest.mark.parametrize("seed", range(60))
async def test_a_group_is_told_what_each_would_be_told_alone(
    events: PostgresEvents, event_sql: psycopg.Connection, seed: int
) -> None:
    """Mixed counts, too few tickets, bookings that come again, with another count, or after their release."""
    chance = random.Random(seed)  # noqa: S311 - the same in every run
    event = await made(events, chance.randint(1, 40))
    model, bookings = Model(event.capacity), [uuid.uuid4() for _ in range(25)]
    for booking in chance.sample(bookings, 4):
        await events.release(booking)
        model.released.add(booking)
    wishes = [Wish(chance.choice(bookings), event.id, chance.choice([1, 1, 2, 5])) for _ in range(40)]
    assert told(await answers_to(events, wishes)) == [model.reserve(wish) for wish in wishes]
    assert holders(event_sql) == model.held.keys()
    assert balanced(event_sql)


async def test_no_event_no_tickets_for_anyone(events: PostgresEvents) -> None:
    nowhere = [Wish(uuid.uuid4(), uuid.UUID(int=7), 1) for _ in range(5)]
    assert told(await answers_to(events, nowhere)) == ["EventNotFound"] * 5


async def test_the_databases_clock_closes_the_sale_for_all(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection
) -> None:
    event_sql.execute("UPDATE events SET starts_at = now()")
    assert told(await answers_to(events, wishes_of(event, 1, 1, 1))) == ["SalesClosed"] * 3


# Together


class CountingDatabase(Database):
    """Notes how often a connection was taken: once a group."""

    taken = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        self.taken += 1
        async with super().connection() as connection:
            yield connection


async def test_those_who_wait_share_a_statement(event: Event, event_settings: EventSettings) -> None:
    async with CountingDatabase(event_settings) as database:
        await answers_to(PostgresEvents(database), wishes_of(event, *[1] * 50))
        assert database.taken == 2


async def test_one_by_one_they_do_not(event: Event, event_settings: EventSettings) -> None:
    """The test above can fail."""
    async with CountingDatabase(event_settings) as database:
        events = PostgresEvents(database)
        for wish in wishes_of(event, *[1] * 5):
            await events.reserve(wish)
        assert database.taken == 5


async def test_tombstones_share_a_statement_and_reservations_are_given_back(
    event: Event, event_settings: EventSettings, event_sql: psycopg.Connection
) -> None:
    async with CountingDatabase(event_settings) as database:
        events = PostgresEvents(database)
        first, *held = wishes_of(event, 1, 2, 3)
        await answers_to(events, [first, *held])
        database.taken = 0
        unknown = [uuid.uuid4() for _ in range(40)]
        booking_ids = [first.booking_id, *unknown, *(wish.booking_id for wish in held), unknown[0]]
        released = await asyncio.gather(*map(events.release, booking_ids))
        assert released == [True, *[False] * 40, True, True, False]
        assert database.taken == 5  # the first alone; the tombstones; three who hold tickets
    assert holders(event_sql) == set()
    assert balanced(event_sql)


async def test_who_came_first_is_served_first(
    events: PostgresEvents, event: Event, postgres: Part, event_settings: EventSettings
) -> None:
    events._reserving = Groupings(largest=4)
    wishes = wishes_of(event, *[1] * 30)
    with locked(event, postgres.address, event_settings.db_name):
        callers = await queued(events, wishes)
    assert told(await asyncio.gather(*callers, return_exceptions=True)) == [*range(9, -1, -1), *["SoldOut"] * 20]


async def test_behind_one_that_is_too_large_a_smaller_wish_still_fits(events: PostgresEvents, event: Event) -> None:
    answers = await answers_to(events, wishes_of(event, 2, 5, 4, 2, 1, 1))
    assert told(answers) == [8, 3, "SoldOut", 1, 0, "SoldOut"]


# Who leaves, who is poisoned, who comes too late


async def test_one_who_leaves_the_queue_takes_nothing(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection, event_settings: EventSettings, postgres: Part
) -> None:
    wishes = wishes_of(event, 1, 1, 1, 1)
    with locked(event, postgres.address, event_settings.db_name):
        callers = await queued(events, wishes)
        callers[2].cancel()
        await asyncio.sleep(0)
    assert told(await asyncio.gather(*callers, return_exceptions=True)) == [9, 8, "CancelledError", 7]
    assert holders(event_sql) == {wish.booking_id for wish in wishes} - {wishes[2].booking_id}


async def test_a_poisoned_wish_fails_alone(events: PostgresEvents, event: Event, event_sql: psycopg.Connection) -> None:
    """What the domain lets nobody wish for, and the database refuses: it takes its group's statement down with it."""
    wishes = wishes_of(event, *[1] * 12)
    object.__setattr__(wishes[7], "ticket_count", 0)
    answers = await answers_to(events, wishes)
    assert told(answers) == [9, 8, 7, 6, 5, 4, 3, "CheckViolation", 2, 1, 0, "SoldOut"]
    assert balanced(event_sql)


async def test_a_full_queue_sheds(
    events: PostgresEvents, event: Event, event_settings: EventSettings, postgres: Part
) -> None:
    events._reserving = Groupings(most_waiting=3)
    with locked(event, postgres.address, event_settings.db_name):
        callers = await queued(events, wishes_of(event, *[1] * 4))
        with pytest.raises(TooManyWaiting):
            await events.reserve(*wishes_of(event, 1))
    assert told(await asyncio.gather(*callers)) == [9, 8, 7, 6]
