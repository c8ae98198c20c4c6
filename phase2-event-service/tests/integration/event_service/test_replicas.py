"""Several replicas of the event service, and the guards of the shared statement, switched off."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
import pytest
from chassis.postgres import Connection, Database
from event_service import reservations
from event_service.config import EventSettings
from event_service.domain import Event, SoldOut, Wish
from event_service.postgres import PostgresEvents
from tests.wishes import answers_to, balanced, holders, made, told, wishes_of


@pytest.fixture
async def event(events: PostgresEvents) -> Event:
    return await made(events)


# Several replicas


@pytest.fixture
async def other(event_settings: EventSettings) -> AsyncIterator[PostgresEvents]:
    """Another replica of the event service."""
    async with Database(event_settings) as database:
        yield PostgresEvents(database)


@pytest.mark.parametrize("seed", range(10))
async def test_two_replicas_never_oversell_and_refuse_nobody_while_tickets_remain(
    events: PostgresEvents, other: PostgresEvents, event_sql: psycopg.Connection, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same in every run
    event = await made(events, 299)
    wishes = wishes_of(event, *(chance.choice([1, 2, 3]) for _ in range(200)))
    again = chance.sample(wishes, 50)  # these come to both replicas
    one, two = await asyncio.gather(answers_to(events, wishes[:120]), answers_to(other, [*wishes[120:], *again]))
    asked = [*wishes, *again]
    assert {type(answer) for answer in (*one, *two)} <= {int, SoldOut}
    served = {wish.booking_id for wish, answer in zip(asked, [*one, *two], strict=True) if isinstance(answer, int)}
    assert holders(event_sql) == served
    assert balanced(event_sql)
    left = (await events.get(event.id)).available
    assert left < min(wish.ticket_count for wish in wishes if wish.booking_id not in served)


@pytest.mark.parametrize("meanwhile", [3, 0])
async def test_what_another_replica_takes_after_the_look_is_not_sold_again(
    events: PostgresEvents, event: Event, event_sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, meanwhile: int
) -> None:
    look = reservations._look

    async def overtaken(connection: Connection, wishes: Sequence[Wish]) -> Any:
        seen = await look(connection, wishes)
        event_sql.execute("UPDATE events SET available = %s, capacity = %s + 1", [meanwhile, meanwhile])
        monkeypatch.setattr(reservations, "_look", look)
        return seen

    monkeypatch.setattr(reservations, "_look", overtaken)
    answers = told(await answers_to(events, wishes_of(event, *[1] * 5)))
    assert answers == [9, 2, 1, 0, "SoldOut"] if meanwhile else [9, *["SoldOut"] * 4]
    assert balanced(event_sql)


async def test_a_booking_that_comes_to_another_replica_after_the_look_is_there_once(
    events: PostgresEvents,
    other: PostgresEvents,
    event: Event,
    event_sql: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look, wishes = reservations._look, wishes_of(event, 1, 1, 1)

    async def overtaken(connection: Connection, asked: Sequence[Wish]) -> Any:
        seen = await look(connection, asked)
        monkeypatch.setattr(reservations, "_look", look)
        await other.reserve(wishes[2])
        return seen

    monkeypatch.setattr(reservations, "_look", overtaken)
    assert told(await answers_to(events, wishes)) == [9, 7, 7]
    assert balanced(event_sql)


# The guards of the shared statement, switched off


async def test_without_its_condition_the_shared_update_oversells(
    event: Event, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = wishes_of(event, 6, 6)
    async with database.connection() as connection:
        assert not await reservations._take(connection, wishes)
        condition = "available >= %(total)s AND"
        assert condition in reservations.RESERVE_MANY
        monkeypatch.setattr(reservations, "RESERVE_MANY", reservations.RESERVE_MANY.replace(condition, ""))
        with pytest.raises(psycopg.errors.CheckViolation):  # the CHECK behind it still refuses
            await reservations._take(connection, wishes)


async def test_without_the_booking_as_its_key_a_retry_sells_twice(
    events: PostgresEvents, event: Event, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = wishes_of(event, 1, 1)
    async with database.connection() as connection:
        assert [await reservations._take(connection, wishes) for _ in range(2)] == [True, False]
        assert (await events.get(event.id)).available == 8
        blind = reservations.RESERVE_MANY.replace("SELECT wish.booking_id", "SELECT gen_random_uuid()")
        monkeypatch.setattr(reservations, "RESERVE_MANY", blind)
        assert await reservations._take(connection, wishes)
        assert (await events.get(event.id)).available == 6
