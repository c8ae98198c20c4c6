"""Every order of reserving, releasing, adding, withdrawing, closing and deleting: PostgreSQL agrees with plain Python."""

import asyncio
import uuid
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from chassis.errors import ServiceError
from chassis.postgres import Database
from event_service.config import EventSettings
from event_service.domain import (
    AlreadyReleased,
    EventNotFound,
    NewEvent,
    OperationReused,
    OtherReservation,
    SalesClosed,
    SoldOut,
    TicketsReserved,
    Wish,
)
from event_service.domain import EventChanges as Changes
from event_service.postgres import PostgresEvents
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

BOOKINGS, OPERATIONS = st.integers(0, 5), st.integers(0, 3)
TICKETS = st.integers(1, 4)
EVENTS = st.integers(0, 1)
PAST, FUTURE = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=30)
CAPACITY = 7

Outcome = int | bool | type[ServiceError]


@dataclass
class Model:
    """What should be so. A booking maps to its event, its count and whether it was released; a tombstone to None."""

    capacity: dict[int, int] = field(default_factory=lambda: {0: CAPACITY, 1: CAPACITY})
    closed: set[int] = field(default_factory=set)
    reserved: dict[int, tuple[int, int] | None] = field(default_factory=dict)
    released: set[int] = field(default_factory=set)
    operations: dict[int, tuple[int, int]] = field(default_factory=dict)

    def left(self, event: int) -> int:
        held = (row for booking, row in self.reserved.items() if booking not in self.released and row is not None)
        return self.capacity[event] - sum(count for of_event, count in held if of_event == event)

    def reserve(self, booking: int, event: int, count: int) -> Outcome:
        if booking in self.released:
            return AlreadyReleased
        if booking in self.reserved and self.reserved[booking] != (event, count):
            return OtherReservation
        if event not in self.capacity:
            return EventNotFound
        if booking in self.reserved:
            return self.left(event)
        if event in self.closed:
            return SalesClosed
        if self.left(event) < count:
            return SoldOut
        self.reserved[booking] = (event, count)
        return self.left(event)

    def release(self, booking: int) -> Outcome:
        live = booking in self.reserved and booking not in self.released
        self.reserved.setdefault(booking, None)
        self.released.add(booking)
        return live

    def change(self, event: int, change: int, operation: int) -> Outcome:
        if event not in self.capacity:
            return EventNotFound
        if operation in self.operations:
            return self.capacity[event] if self.operations[operation] == (event, change) else OperationReused
        if self.left(event) + change < 0:
            return TicketsReserved
        self.operations[operation] = (event, change)
        self.capacity[event] += change
        return self.capacity[event]

    def close(self, event: int, *, closed: bool) -> Outcome:
        if event not in self.capacity:
            return EventNotFound
        (self.closed.add if closed else self.closed.discard)(event)
        return True

    def delete(self, event: int) -> Outcome:
        if event not in self.capacity:
            return EventNotFound
        if self.left(event) != self.capacity[event]:
            return TicketsReserved
        del self.capacity[event]
        return True


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
            await self.events.update(self.ids[event], Changes(starts_at=PAST if closed else FUTURE))
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
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=40))


@pytest.mark.parametrize(
    ("statement", "piece", "instead"),
    [
        ("RESERVE", "starts_at > now()", "true"),
        ("RESERVE", "available >= %(count)s", "available >= %(count)s - 1"),
        ("RELEASE", "available + freed.ticket_count", "available"),
        ("RELEASE", " WHERE reservations.released_at IS NULL", ""),
    ],
)
def test_a_wrong_statement_is_found(
    machine: type[Reservations], monkeypatch: pytest.MonkeyPatch, statement: str, piece: str, instead: str
) -> None:
    from event_service import reservations

    right = getattr(reservations, statement)
    assert piece in right
    monkeypatch.setattr(reservations, statement, right.replace(piece, instead))
    with pytest.raises(Exception):  # noqa: B017, PT011 - a disagreement, or PostgreSQL's refusal
        run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=40))
