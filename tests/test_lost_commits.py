"""Connections to PostgreSQL cut right after a commit, and right before: nobody knows which, and nothing goes wrong."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from booking_service.domain import Booking

from tests.builds.guards import GUARDS
from tests.cutting import CuttingLine
from tests.inside import Inside, inside
from tests.scenarios import heard
from workbook.part import Part
from workbook.postgres import connect

ENOUGH, GIVES_UP = 30.0, 1.5
CUTS = 25  # of each kind


@pytest.fixture
async def line(postgres: Part) -> AsyncIterator[CuttingLine]:
    async with CuttingLine(int(postgres.address.split(":")[1])).open() as line:
        yield line


async def sell(system: Inside, line: CuttingLine) -> Counter[str]:
    """Ten buyers, each with its key until it is answered; every third gives its tickets back; until enough was cut."""
    event_id = await system.event(150)
    found: list[Booking | str | BaseException] = []

    async def buyer(number: int) -> None:
        turn = 0
        while min(line.cut_before, line.cut_after) < CUTS:
            turn += 1
            answer = await system.book(f"buyer-{number}-{turn}", event_id, 1 + turn % 3)
            found.append(answer)
            if isinstance(answer, Booking) and turn % 3 == 0:
                await system.cancel(answer.id)

    line.rate = 0.05
    await asyncio.gather(*(buyer(number) for number in range(10)))
    line.rate = 0.0
    return heard(found)


async def test_an_answer_of_the_database_that_is_lost_costs_nothing(postgres: Part, line: CuttingLine) -> None:
    async with inside(postgres, "cut", port=line.port) as system:
        found = await sell(system, line)
        assert set(found) <= {"CONFIRMED", "CANCELLED", "SOLD_OUT"}
        assert found["CONFIRMED"] > 10
        assert await system.broken_at_rest(ENOUGH) == []


async def test_without_the_idempotency_key_it_costs_bookings(
    postgres: Part, line: CuttingLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the claim was committed, and the retry claims again."""
    guard = GUARDS["idempotency key"]
    guard.switch_off(monkeypatch.setattr)
    async with inside(postgres, "cut_without_key", port=line.port) as system:
        with connect(postgres.address, "cut_without_key_bookings") as connection:
            connection.execute(guard.tables["bookings"])
        await sell(system, line)
        assert "I3" in {broken.law for broken in await system.broken_at_rest(GIVES_UP)}
