"""Tickets set aside and given back, each exactly once, whoever races whom."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from event_service import reservations
from event_service.domain import (
    AlreadyReleased,
    Event,
    EventNotFound,
    NewEvent,
    OtherReservation,
    SalesClosed,
    SoldOut,
    Wish,
)
from event_service.postgres import PostgresEvents

SOON = datetime.now(UTC) + timedelta(days=30)


@pytest.fixture
async def event(events: PostgresEvents) -> Event:
    return await events.create(NewEvent("Jazz night", "concert", SOON, "Europe/Istanbul", "Babylon", 10))


def conserved(sql: psycopg.Connection) -> bool:
    """Law I1: available + Σ reserved = capacity, for every event."""
    broken = sql.execute("""
        SELECT e.id FROM events e LEFT JOIN reservations r ON r.event_id = e.id AND r.released_at IS NULL
        GROUP BY e.id HAVING e.available + coalesce(sum(r.ticket_count), 0) <> e.capacity
    """).fetchall()
    return not broken


async def left(events: PostgresEvents, event: Event) -> int:
    return (await events.get(event.id)).available


async def test_tickets_are_set_aside_and_given_back(events: PostgresEvents, event: Event) -> None:
    booking = uuid.uuid4()
    assert await events.reserve(Wish(booking, event.id, 3)) == 7
    assert await events.release(booking)
    assert await left(events, event) == 10


async def test_reserving_again_changes_nothing(events: PostgresEvents, event: Event) -> None:
    wish = Wish(uuid.uuid4(), event.id, 3)
    assert [await events.reserve(wish) for _ in range(3)] == [7, 7, 7]


async def test_releasing_again_gives_nothing_back(events: PostgresEvents, event: Event) -> None:
    booking = uuid.uuid4()
    await events.reserve(Wish(booking, event.id, 3))
    assert [await events.release(booking) for _ in range(3)] == [True, False, False]
    assert await left(events, event) == 10


async def test_a_release_that_comes_first_refuses_the_late_reserve(events: PostgresEvents, event: Event) -> None:
    booking = uuid.uuid4()
    assert not await events.release(booking)
    with pytest.raises(AlreadyReleased):
        await events.reserve(Wish(booking, event.id, 3))
    assert await left(events, event) == 10


async def test_what_was_given_back_cannot_be_reserved_again(events: PostgresEvents, event: Event) -> None:
    wish = Wish(uuid.uuid4(), event.id, 3)
    await events.reserve(wish)
    await events.release(wish.booking_id)
    with pytest.raises(AlreadyReleased):
        await events.reserve(wish)


async def test_the_same_booking_with_another_count_is_an_error(events: PostgresEvents, event: Event) -> None:
    booking = uuid.uuid4()
    await events.reserve(Wish(booking, event.id, 3))
    with pytest.raises(OtherReservation, match="holds 3 tickets"):
        await events.reserve(Wish(booking, event.id, 4))
    assert await left(events, event) == 7


@pytest.mark.parametrize(("rest", "said"), [(2, "2 tickets are left, 3 were"), (1, "1 ticket is left, 3 were")])
async def test_all_or_none(events: PostgresEvents, event: Event, rest: int, said: str) -> None:
    await events.reserve(Wish(uuid.uuid4(), event.id, 10 - rest))
    with pytest.raises(SoldOut, match=said):
        await events.reserve(Wish(uuid.uuid4(), event.id, 3))
    assert await left(events, event) == rest


async def test_no_event_no_tickets(events: PostgresEvents) -> None:
    with pytest.raises(EventNotFound):
        await events.reserve(Wish(uuid.uuid4(), uuid.uuid4(), 1))


async def test_the_databases_clock_closes_the_sale(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection
) -> None:
    event_sql.execute("UPDATE events SET starts_at = now() - interval '1 second'")
    with pytest.raises(SalesClosed):
        await events.reserve(Wish(uuid.uuid4(), event.id, 1))


async def test_a_hundred_at_once_never_oversell(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection
) -> None:
    wishes = [Wish(uuid.uuid4(), event.id, 1 + number % 3) for number in range(100)]
    answers = await asyncio.gather(*(events.reserve(wish) for wish in wishes), return_exceptions=True)
    assert {type(answer) for answer in answers} == {int, SoldOut}
    sold = sum(wish.ticket_count for wish, answer in zip(wishes, answers, strict=True) if isinstance(answer, int))
    assert sold == 10 - await left(events, event)
    assert conserved(event_sql)


async def test_the_same_reservation_twenty_times_at_once_is_one(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection
) -> None:
    for _ in range(10):
        wish = Wish(uuid.uuid4(), event.id, 1)
        await asyncio.gather(*(events.reserve(wish) for _ in range(20)))
    assert await left(events, event) == 0
    assert conserved(event_sql)


async def test_reserve_and_release_at_once_leave_nothing(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection
) -> None:
    for _ in range(50):
        wish = Wish(uuid.uuid4(), event.id, 2)
        await asyncio.gather(events.reserve(wish), events.release(wish.booking_id), return_exceptions=True)
        await events.release(wish.booking_id)
        assert await left(events, event) == 10
    assert conserved(event_sql)


async def test_without_its_condition_the_update_oversells(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the row condition off, the CHECK behind it still refuses, so that is off too."""
    monkeypatch.setattr(reservations, "RESERVE", reservations.RESERVE.replace("AND available >= %(count)s AND", "AND"))
    with pytest.raises(psycopg.errors.CheckViolation):
        await events.reserve(Wish(uuid.uuid4(), event.id, 10)) + await events.reserve(Wish(uuid.uuid4(), event.id, 1))
    assert conserved(event_sql)


async def test_without_its_row_a_retry_sells_twice(
    events: PostgresEvents, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the reservation key: no look, no row."""
    blind = reservations.RESERVE.replace("AND NOT EXISTS (SELECT FROM reservations WHERE booking_id = %(booking)s)", "")
    monkeypatch.setattr(reservations, "RESERVE", blind.replace("%(booking)s, id,", "gen_random_uuid(), id,"))
    wish = Wish(uuid.uuid4(), event.id, 3)
    assert [await events.reserve(wish), await events.reserve(wish)] == [7, 4]
