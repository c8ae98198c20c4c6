"""Reserving, releasing, adding, withdrawing, closing, deleting in any order: PostgreSQL does as plain Python says."""

import asyncio
import uuid
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import psycopg
import pytest
from chassis.errors import ServiceError
from chassis.postgres import Database
from event_service import reservations
from event_service.config import EventSettings
from event_service.domain import EventChanges, NewEvent, Wish
from event_service.postgres import PostgresEvents
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.ticket_model import CAPACITY, Model, Outcome

BOOKINGS, OPERATIONS = st.integers(0, 5), st.integers(0, 3)
TICKETS = st.integers(1, 4)
EVENTS = st.integers(0, 1)
PAST, FUTURE = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=30)

# A control needs no smallest example, and looking for it takes minutes.
FINDS_ONLY = settings(max_examples=60, stateful_step_count=40, phases=[Phase.generate])


class Reservations(RuleBasedStateMachine):
    """Small numbers on purpose: two events, six bookings, four operations meet each other all the time."""

    events: ClassVar[PostgresEvents]
    loop: ClassVar[asyncio.AbstractEventLoop]

    @initialize()
    def two_events(self) -> None:
        new = NewEvent("Jazz night", "concert", FUTURE, "UTC", "Babylon", CAPACITY)
        self.model = Model()
        self.ids = [self.run(self.events.create(new)).id for _ in range(2)]
        self.names = [uuid.uuid4() for _ in range(10)]

    def run(self, call: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(call)

    def agree(self, expected: Outcome, call: Awaitable[Any]) -> None:
        try:
            outcome = self.run(call)
        except ServiceError as refusal:
            outcome = type(refusal)
        assert outcome == expected

    @rule(booking=BOOKINGS, event=EVENTS, count=TICKETS)
    def reserve(self, booking: int, event: int, count: int) -> None:
        wish = Wish(self.names[booking], self.ids[event], count)
        self.agree(self.model.reserve(booking, event, count), self.events.reserve(wish))

    @rule(wishes=st.lists(st.tuples(BOOKINGS, TICKETS), min_size=2, max_size=8, unique_by=lambda wish: wish[0]))
    def reserve_at_once(self, wishes: list[tuple[int, int]]) -> None:
        """Wishes for one event that come together are decided in the order in which they came."""
        expected = [self.model.reserve(booking, 0, count) for booking, count in wishes]
        calls = [self.events.reserve(Wish(self.names[booking], self.ids[0], count)) for booking, count in wishes]
        outcomes = self.run(_all(calls))
        assert list(map(_kind, outcomes)) == list(map(_kind, expected))

    @rule(booking=BOOKINGS)
    def release(self, booking: int) -> None:
        self.agree(self.model.release(booking), self.events.release(self.names[booking]))

    @rule(event=EVENTS, change=st.integers(-4, 4).filter(bool), operation=OPERATIONS)
    def change_capacity(self, event: int, change: int, operation: int) -> None:
        async def changed() -> int:
            name = self.names[6 + operation]
            return (await self.events.change_capacity(self.ids[event], change, name)).capacity

        self.agree(self.model.change(event, change, operation), changed())

    @rule(event=EVENTS, closed=st.booleans())
    def close_or_reopen_sales(self, event: int, closed: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
        async def moved() -> bool:
            await self.events.update(self.ids[event], EventChanges(starts_at=PAST if closed else FUTURE))
            return True

        self.agree(self.model.close(event, closed=closed), moved())

    @rule(event=EVENTS)
    def delete(self, event: int) -> None:
        async def deleted() -> bool:
            await self.events.delete(self.ids[event])
            return True

        self.agree(self.model.delete(event), deleted())

    @invariant()
    def as_many_tickets_are_left(self) -> None:
        found = {event.id: (event.capacity, event.available) for event in self.run(self.events.many(self.ids))}
        assert found == {
            self.ids[each]: (self.model.capacity[each], self.model.left(each)) for each in self.model.capacity
        }


async def _all(calls: list[Awaitable[int]]) -> list[int | BaseException]:
    return await asyncio.gather(*calls, return_exceptions=True)


def _kind(outcome: Any) -> object:
    """Success or the class of a refusal: how many are left behind a wish depends on how they were grouped."""
    if isinstance(outcome, BaseException):
        return type(outcome)
    return outcome if isinstance(outcome, type) else True


@pytest.fixture
def machine(event_settings: EventSettings) -> Iterator[type[Reservations]]:
    """The state machine over a database, in a loop of its own: Hypothesis calls the rules without one."""
    loop = asyncio.new_event_loop()
    database = Database(event_settings)
    loop.run_until_complete(database.__aenter__())

    class OverPostgres(Reservations):
        pass

    OverPostgres.loop, OverPostgres.events = loop, PostgresEvents(database)
    yield OverPostgres
    loop.run_until_complete(database.__aexit__())
    loop.close()


def test_postgres_agrees_with_the_model(machine: type[Reservations]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40))


@pytest.mark.parametrize(
    ("statement", "piece", "instead"),
    [
        ("RESERVE", "starts_at > now()", "true"),
        ("RESERVE", "available >= %(count)s", "available >= %(count)s - 1"),
        ("RELEASE", "available + freed.ticket_count", "available"),
        ("RELEASE", " AND released_at IS NULL", ""),
    ],
)
def test_a_wrong_statement_is_found(
    machine: type[Reservations], monkeypatch: pytest.MonkeyPatch, statement: str, piece: str, instead: str
) -> None:
    right = getattr(reservations, statement)
    assert piece in right
    monkeypatch.setattr(reservations, statement, right.replace(piece, instead))
    with pytest.raises((AssertionError, psycopg.errors.CheckViolation)):
        run_state_machine_as_test(machine, settings=FINDS_ONLY)
