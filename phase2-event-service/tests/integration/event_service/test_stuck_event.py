"""An event whose row is locked keeps no other from giving its tickets back."""

import asyncio
import uuid

import pytest
from chassis.postgres import Database
from event_service import reservations
from event_service.config import EventSettings
from event_service.postgres import PostgresEvents
from tests.wishes import locked, made, waits, wishes_of

from tests.waiting import until_async
from workbook.part import Part


async def one_event_stuck(settings: EventSettings, postgres: Part, times: int, limit: float) -> bool:
    """Whether a stranger's releases overtake one of a stuck event, which has come so many times and waits."""
    limits = {"db_lock_timeout": limit, "db_statement_timeout": limit}
    async with Database(settings.model_copy(update=limits)) as database:
        events = PostgresEvents(database)
        event = await made(events)
        (stuck,), (free,) = wishes_of(event, 1), wishes_of(await made(events), 1)
        await asyncio.gather(events.reserve(stuck), events.reserve(free))
        with locked(event, postgres.address, settings.db_name) as holder:
            waiting = [asyncio.create_task(events.release(stuck.booking_id))]
            await until_async(lambda: waits(holder, 1))
            waiting += [asyncio.create_task(events.release(stuck.booking_id)) for _ in range(times - 1)]
            await asyncio.sleep(0)  # they have come before the stranger
            assert await events.release(free.booking_id)
            assert not await events.release(uuid.uuid4())
            overtaken = not any(call.done() for call in waiting)
        await asyncio.gather(*waiting, return_exceptions=True)
    return overtaken


@pytest.mark.parametrize("times", [1, 2])  # twice: a buyer who cancels again, while the first time still waits
async def test_a_stuck_event_keeps_no_other_from_giving_tickets_back(
    event_settings: EventSettings, postgres: Part, times: int
) -> None:
    assert await one_event_stuck(event_settings, postgres, times, limit=30)


async def test_nor_does_a_crowd_that_gives_its_tickets_back(event_settings: EventSettings, postgres: Part) -> None:
    """Of its releases one waits for the row, however many there are: the others leave the connections to strangers."""
    limits = {"db_lock_timeout": 30, "db_statement_timeout": 30}
    async with Database(event_settings.model_copy(update=limits)) as database:
        events = PostgresEvents(database)
        event, other = await made(events, 20), await made(events)
        crowd, (stranger,) = wishes_of(event, *[1] * 20), wishes_of(other, 1)
        await asyncio.gather(*map(events.reserve, [*crowd, stranger]))
        with locked(event, postgres.address, event_settings.db_name) as holder:
            waiting = [asyncio.create_task(events.release(wish.booking_id)) for wish in crowd]
            await until_async(lambda: waits(holder, 1))
            async with asyncio.timeout(10):
                assert await events.release(stranger.booking_id)
            assert not any(call.done() for call in waiting)
        assert await asyncio.gather(*waiting) == [True] * 20


async def test_without_a_look_first_a_release_that_comes_twice_does(
    event_settings: EventSettings, postgres: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    blind = reservations.BURY_MANY.replace("WHERE NOT EXISTS", "WHERE true OR NOT EXISTS")
    monkeypatch.setattr(reservations, "BURY_MANY", blind)
    assert not await one_event_stuck(event_settings, postgres, times=2, limit=1)
