"""The right event repository in memory: what the wrong ones stand on. No method waits, so each is a step."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from chassis.paging import Position
from event_service.domain import (
    AlreadyReleased,
    Event,
    EventChanges,
    EventNotFound,
    Kind,
    NewEvent,
    OperationReused,
    OtherReservation,
    SalesClosed,
    SoldOut,
    TicketsReserved,
    Wish,
)
from event_service.repository import Filter


@dataclass(frozen=True, slots=True)
class Reservation:
    """`event_id` None and `count` 0 are a tombstone."""

    event_id: uuid.UUID | None
    count: int
    released: bool = False


class EventStore:
    """An `EventRepository` over dicts. What `after_kill` returns is what a database would still have after SIGKILL."""

    def __init__(self) -> None:
        self.events: dict[uuid.UUID, Event] = {}
        self.reservations: dict[uuid.UUID, Reservation] = {}
        self.operations: dict[uuid.UUID, tuple[uuid.UUID, int]] = {}

    def after_kill(self) -> Self:
        return self

    async def create(self, new: NewEvent) -> Event:
        now = datetime.now(UTC)
        described = (new.name, Kind(new.kind), new.starts_at, new.time_zone, new.venue)
        return self.put(Event(uuid.uuid4(), *described, new.capacity, new.capacity, now, now))

    async def get(self, event_id: uuid.UUID) -> Event:
        if event_id not in self.events:
            raise EventNotFound(event_id)
        return self.events[event_id]

    async def many(self, event_ids: Sequence[uuid.UUID]) -> list[Event]:
        return [self.events[event_id] for event_id in event_ids if event_id in self.events]

    async def page(self, wanted: Filter, limit: int, after: Position | None = None) -> list[Event]:
        found = sorted((event for event in self.events.values() if is_wanted(event, wanted)), key=place)
        return [event for event in found if after is None or place(event) > (after.at, after.id)][:limit]

    async def update(self, event_id: uuid.UUID, changes: EventChanges) -> Event:
        fields = ("name", "kind", "starts_at", "time_zone", "venue")
        given = {field: getattr(changes, field) for field in fields if getattr(changes, field) is not None}
        return self.put(replace(await self.get(event_id), **given))

    async def delete(self, event_id: uuid.UUID) -> None:
        event = await self.get(event_id)
        if event.available < event.capacity:
            raise TicketsReserved("tickets of this event are reserved")
        del self.events[event_id]

    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        event, done = await self.get(event_id), self.operations.get(operation_id)
        if done not in {None, (event_id, change)}:
            raise OperationReused("this operation was another change")
        if done is not None:
            return event
        if event.available + change < 0:
            raise TicketsReserved("the others are reserved")
        self.operations[operation_id] = (event_id, change)
        return self.put(replace(event, capacity=event.capacity + change, available=event.available + change))

    async def reserve(self, wish: Wish) -> int:
        held = self.reservations.get(wish.booking_id)
        if held is not None:
            return await self.reserved_before(wish, held)
        event = await self.get(wish.event_id)
        if event.starts_at <= datetime.now(UTC):
            raise SalesClosed("sales closed when the event began")
        if event.available < wish.ticket_count:
            raise SoldOut(f"{event.available} tickets are left")
        self.reservations[wish.booking_id] = Reservation(wish.event_id, wish.ticket_count)
        return self.take(wish.event_id, wish.ticket_count)

    async def reserved_before(self, wish: Wish, held: Reservation) -> int:
        if held.released:
            raise AlreadyReleased("this booking has given its tickets back")
        if (held.event_id, held.count) != (wish.event_id, wish.ticket_count):
            raise OtherReservation("this booking holds other tickets")
        return (await self.get(wish.event_id)).available

    async def release(self, booking_id: uuid.UUID) -> bool:
        held = self.reservations.get(booking_id, Reservation(None, 0))
        self.reservations[booking_id] = replace(held, released=True)
        if held.released or held.event_id is None:
            return False
        self.take(held.event_id, -held.count)
        return True

    def take(self, event_id: uuid.UUID, count: int) -> int:
        event = self.events[event_id]
        return self.put(replace(event, available=event.available - count)).available

    def put(self, event: Event) -> Event:
        self.events[event.id] = event
        return event


def place(event: Event) -> tuple[datetime, uuid.UUID]:
    return event.starts_at, event.id


def is_wanted(event: Event, wanted: Filter) -> bool:
    conditions: list[Any] = [
        wanted.kind in {None, event.kind},
        wanted.starts_from is None or event.starts_at >= wanted.starts_from,
        wanted.starts_before is None or event.starts_at < wanted.starts_before,
        wanted.venue is None or wanted.venue.lower() in event.venue.lower(),
        event.available > 0 or not wanted.only_available,
    ]
    return all(conditions)
