"""Events in PostgreSQL: describing, listing page by page, changing, deleting, adding and withdrawing tickets."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from chassis.paging import Position
from event_service import postgres
from event_service.domain import (
    MAX_CAPACITY,
    CapacityTooLarge,
    Event,
    EventChanges,
    EventNotFound,
    Kind,
    NewEvent,
    OperationReused,
    TicketsReserved,
    Wish,
)
from event_service.postgres import PostgresEvents
from event_service.repository import Filter
from event_service.reservations import Contended

START = datetime(2099, 1, 1, 20, tzinfo=UTC)


def described(name: str, day: int = 0, kind: str = "concert", venue: str = "Babylon", capacity: int = 10) -> NewEvent:
    return NewEvent(name, kind, START + timedelta(days=day), "Europe/Istanbul", venue, capacity)


@pytest.fixture
async def event(events: PostgresEvents) -> Event:
    return await events.create(described("Jazz night"))


async def names(events: PostgresEvents, wanted: Filter) -> list[str]:
    return [event.name for event in await events.page(wanted, 100)]


async def test_an_event_is_kept_as_described(events: PostgresEvents, event: Event) -> None:
    assert await events.get(event.id) == event
    assert (event.name, event.kind, event.starts_at, event.available) == ("Jazz night", Kind.CONCERT, START, 10)


async def test_what_is_not_there_is_not_found(events: PostgresEvents) -> None:
    for call in (events.get, events.delete, lambda event_id: events.update(event_id, EventChanges(name="x"))):
        with pytest.raises(EventNotFound):
            await call(uuid.uuid4())


async def test_only_what_is_given_changes(events: PostgresEvents, event: Event) -> None:
    changed = await events.update(event.id, EventChanges(venue="Salon", starts_at=START + timedelta(hours=1)))
    assert (changed.name, changed.venue, changed.starts_at.hour) == ("Jazz night", "Salon", 21)
    assert changed.updated_at > event.updated_at


async def test_every_filter_narrows(events: PostgresEvents) -> None:
    await events.create(described("early", day=1))
    await events.create(described("late", day=9))
    await events.create(described("derby", day=5, kind="match", venue="The 100% Arena"))
    full = await events.create(described("full", day=6, capacity=2))
    await events.reserve(Wish(uuid.uuid4(), full.id, 2))
    assert await names(events, Filter()) == ["early", "derby", "full", "late"]
    assert await names(events, Filter(kind="match")) == ["derby"]
    assert await names(events, Filter(starts_from=START + timedelta(days=5))) == ["derby", "full", "late"]
    assert await names(events, Filter(starts_before=START + timedelta(days=5))) == ["early"]
    assert await names(events, Filter(venue="arena")) == ["derby"]
    assert await names(events, Filter(venue="0% a")) == ["derby"]
    assert await names(events, Filter(venue="1_0")) == []
    assert await names(events, Filter(venue="B")) == ["early", "full", "late"]
    assert await names(events, Filter(only_available=True)) == ["early", "derby", "late"]


async def test_pages_hold_while_events_are_added(events: PostgresEvents) -> None:
    made = [(await events.create(described(f"{number}", day=number % 3))).id for number in range(9)]
    seen: list[uuid.UUID] = []
    after = None
    while page := await events.page(Filter(), 2, after):
        seen += [event.id for event in page]
        after = Position(page[-1].starts_at, page[-1].id)
        await events.create(described("added before", day=-1))
    assert sorted(seen) == sorted(made)


async def test_an_event_with_reserved_tickets_is_not_deleted(events: PostgresEvents, event: Event) -> None:
    wish = Wish(uuid.uuid4(), event.id, 2)
    await events.reserve(wish)
    with pytest.raises(TicketsReserved, match="2 tickets"):
        await events.delete(event.id)
    await events.release(wish.booking_id)
    await events.delete(event.id)
    with pytest.raises(EventNotFound):
        await events.get(event.id)


async def test_adding_tickets_twice_with_one_operation_adds_them_once(events: PostgresEvents, event: Event) -> None:
    operation = uuid.uuid4()
    changed = await asyncio.gather(*(events.change_capacity(event.id, 5, operation) for _ in range(10)))
    assert {(each.capacity, each.available) for each in changed} == {(15, 15)}


async def test_an_operation_is_not_used_for_another_change(events: PostgresEvents, event: Event) -> None:
    operation = uuid.uuid4()
    await events.change_capacity(event.id, 5, operation)
    with pytest.raises(OperationReused):
        await events.change_capacity(event.id, 6, operation)


async def test_reserved_tickets_are_not_withdrawn(events: PostgresEvents, event: Event) -> None:
    await events.reserve(Wish(uuid.uuid4(), event.id, 8))
    with pytest.raises(TicketsReserved, match="2 tickets can be withdrawn"):
        await events.change_capacity(event.id, -3, uuid.uuid4())
    assert (await events.change_capacity(event.id, -2, uuid.uuid4())).capacity == 8


async def test_an_event_has_a_largest_capacity(events: PostgresEvents, event: Event) -> None:
    with pytest.raises(CapacityTooLarge, match="at most 1,000,000 tickets"):
        await events.change_capacity(event.id, MAX_CAPACITY - 9, uuid.uuid4())
    changed = await events.change_capacity(event.id, MAX_CAPACITY - 10, uuid.uuid4())
    assert changed.capacity == MAX_CAPACITY


async def test_a_change_that_could_be_made_by_now_is_worth_another_try(
    events: PostgresEvents, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stood against it was gone when we looked what it was."""
    too_late = postgres.CHANGE_CAPACITY.replace("WHERE id =", "WHERE false AND id =")
    monkeypatch.setattr(postgres, "CHANGE_CAPACITY", too_late)
    with pytest.raises(Contended):
        await events.change_capacity(event.id, 1, uuid.uuid4())


@pytest.mark.parametrize(
    "wrong",
    ["capacity = -1, available = -1", "available = 11", "available = -1", "kind = 'opera'", "name = ''"],
)
async def test_the_table_refuses_a_wrong_event(event: Event, event_sql: psycopg.Connection, wrong: str) -> None:
    assert event.available == 10
    with pytest.raises(psycopg.errors.CheckViolation):
        event_sql.execute(f"UPDATE events SET {wrong}")  # noqa: S608 - the parameters above
