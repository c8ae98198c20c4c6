"""Races over both services and real databases: the laws hold after each, and do not without the guard behind it."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from booking_service.domain import Booking, Status
from booking_service.inventory import TicketsRefused
from booking_service.service import BookingUseCases

from tests import scenarios
from tests.builds.guards import GUARDS
from tests.inside import Inside, inside
from tests.scenarios import Heard
from tests.waiting import until_async
from workbook.part import Part
from workbook.postgres import connect

Scenario = Callable[[Inside], Awaitable[Heard]]
ENOUGH = 20.0  # seconds; recovery needs a fraction of one
GIVES_UP = 1.5  # seconds after which a control takes what is broken as broken for good


@pytest.fixture
async def system(postgres: Part) -> AsyncIterator[Inside]:
    async with inside(postgres, "races") as system:
        with connect(postgres.address, "races_events") as connection:
            connection.execute("TRUNCATE events, reservations")
        with system.sql() as connection:
            connection.execute("TRUNCATE bookings")
        yield system


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (scenarios.one_buyer_too_many, {"CONFIRMED": 299, "SOLD_OUT": 1 + 5}),
        (
            scenarios.an_answer_lost_after_commit,
            {"AnswerLost()": 10, "CONFIRMED": 200},
        ),
        (scenarios.one_key_twenty_times_at_once, {"CONFIRMED": 200}),
        (scenarios.ten_cancellations_at_once, {"CANCELLED": 500}),
        (scenarios.a_release_overtakes_its_reserve, {"CANCELLED_MEANWHILE": 20}),
        (scenarios.a_reserve_comes_after_its_booking_was_abandoned, {"CANCELLED_MEANWHILE": 20}),
        (scenarios.a_refusal_comes_after_another_try_was_confirmed, {"CONFIRMED": 2}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_buyers_hear_what_is_so(system: Inside, scenario: Scenario, expected: dict[str, int]) -> None:
    assert await scenario(system) == Counter(expected)
    assert await system.broken_at_rest(ENOUGH) == []


async def test_a_cancellation_may_come_at_any_moment(system: Inside) -> None:
    heard = await scenarios.a_cancellation_races_its_booking(system)
    assert set(heard) == {"CONFIRMED", "CANCELLED", "CANCELLED_MEANWHILE"}, "not every order of events came about"
    assert heard.total() == scenarios.TRIALS
    assert await system.broken_at_rest(ENOUGH) == []
    with system.sql() as sql:
        assert sql.execute("SELECT status, count(*) FROM bookings GROUP BY status").fetchall() == [("CANCELLED", 1000)]


@pytest.mark.parametrize(
    ("guard", "scenario", "law"),
    [
        ("row condition", scenarios.one_buyer_too_many, "I1"),
        ("reservation key", scenarios.an_answer_lost_after_commit, "I2"),
        ("tombstone", scenarios.a_release_overtakes_its_reserve, "I2"),
        ("tombstone", scenarios.a_reserve_comes_after_its_booking_was_abandoned, "I2"),
        ("conditional confirm", scenarios.a_cancellation_races_its_booking, "I2"),
        ("idempotency key", scenarios.one_key_twenty_times_at_once, "I3"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
async def test_without_its_guard_a_law_is_broken(
    postgres: Part, monkeypatch: pytest.MonkeyPatch, guard: str, scenario: Scenario, law: str
) -> None:
    monkeypatch.setattr(scenarios, "TRIALS", 200)
    GUARDS[guard].switch_off(monkeypatch.setattr)
    name = f"without_{guard.replace(' ', '_')}_{scenario.__name__[:20]}"
    async with inside(postgres, name) as system:
        for database, change in GUARDS[guard].tables.items():
            with connect(postgres.address, f"{name}_{database}") as connection:
                connection.execute(change)
        await scenario(system)
        assert law in {broken.law for broken in await system.broken_at_rest(GIVES_UP)}


async def test_a_refusal_that_is_not_conditional_breaks_a_law(system: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    async def complete(self: BookingUseCases, booking: Booking) -> Booking:
        try:
            await self._inventory.reserve(booking)
        except TicketsRefused as refusal:
            await self._bookings.move(booking.id, Status.CANCELLED, refusal.reason)
            raise
        return await self._bookings.move(booking.id, Status.CONFIRMED)

    monkeypatch.setattr(BookingUseCases, "complete", complete)
    await scenarios.a_refusal_comes_after_another_try_was_confirmed(system)

    async def lost() -> bool:
        return {broken.law for broken in await system.broken_at_rest(0)} == {"I3"}

    await until_async(lost)
