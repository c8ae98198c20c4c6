"""Event repositories with one mistake each, over the right one in memory."""

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Self

from chassis.paging import Position
from event_service.domain import (
    Event,
    EventChanges,
    NewEvent,
    OperationReused,
    TicketsReserved,
)
from event_service.repository import Filter
from tests.checklist.event_store import EventStore

A_WHILE = 0.1  # seconds: long enough for whoever else acts between the check and the act


class KeepsLocalTime(EventStore):
    async def create(self, new: NewEvent) -> Event:
        return await super().create(replace(new, starts_at=new.starts_at + timedelta(hours=3)))


class MakesIdsFromTheName(EventStore):
    async def create(self, new: NewEvent) -> Event:
        event = await super().create(new)
        del self.events[event.id]
        return self.put(replace(event, id=uuid.uuid5(uuid.NAMESPACE_OID, new.name)))


class StartsSoldOut(EventStore):
    async def create(self, new: NewEvent) -> Event:
        return self.put(replace(await super().create(new), available=0))


class UpdatesEverything(EventStore):
    async def update(self, event_id: uuid.UUID, changes: EventChanges) -> Event:
        return self.put(replace(await super().update(event_id, changes), venue=changes.venue or "somewhere"))


class DeletesNothing(EventStore):
    async def delete(self, event_id: uuid.UUID) -> None:
        await self.get(event_id)


class DeletesReserved(EventStore):
    async def delete(self, event_id: uuid.UUID) -> None:
        del self.events[(await self.get(event_id)).id]


class ListsInAnyOrder(EventStore):
    async def page(self, wanted: Filter, limit: int, after: Position | None = None) -> list[Event]:
        return (await super().page(wanted, limit, after))[::-1]


class ListsTwice(EventStore):
    async def page(self, wanted: Filter, limit: int, after: Position | None = None) -> list[Event]:
        return [event for event in await super().page(wanted, limit, after) for _ in range(2)][:limit]


class FiltersByVenueAlone(EventStore):
    async def page(self, wanted: Filter, limit: int, after: Position | None = None) -> list[Event]:
        return await super().page(Filter(venue=wanted.venue), limit, after)


class TakesPercentForAnything(EventStore):
    async def page(self, wanted: Filter, limit: int, after: Position | None = None) -> list[Event]:
        parts = (wanted.venue or "").lower().split("%")
        found = await super().page(replace(wanted, venue=None), 10_000, after)
        return [event for event in found if all(part in event.venue.lower() for part in parts)][:limit]


class PagesByTime(EventStore):
    """Goes on behind the time of the last event, as if no two could have the same."""

    async def page(self, wanted: Filter, limit: int, after: Position | None = None) -> list[Event]:
        last = None if after is None else Position(after.at, uuid.UUID(int=2**128 - 1))
        return await super().page(wanted, limit, last)


class AddsNothing(EventStore):
    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        event = await super().change_capacity(event_id, change, operation_id)
        return self.put(replace(event, available=event.available - max(change, 0)))


class WithdrawsWhatIsReserved(EventStore):
    """Looks at the capacity where it should look at what is left."""

    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        event = await self.get(event_id)
        if event.capacity + change < 0:
            raise TicketsReserved("there are not so many")
        if event.available + change >= 0:
            return await super().change_capacity(event_id, change, operation_id)
        return self.put(replace(event, capacity=event.capacity + change, available=0))


class GoesBelowZero(EventStore):
    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        try:
            return await super().change_capacity(event_id, change, operation_id)
        except TicketsReserved:
            event = await self.get(event_id)
            return self.put(replace(event, available=event.available + change))


class LosesUpdates(EventStore):
    """Reads, thinks, and writes what it made of it."""

    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        event = await self.get(event_id)
        if event.available + change < 0:
            raise TicketsReserved("the others are reserved")
        if change == -1:
            await asyncio.sleep(A_WHILE)
            return self.put(replace(event, capacity=event.capacity + change, available=event.available + change))
        return await super().change_capacity(event_id, change, operation_id)


class IgnoresOperations(EventStore):
    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        return await super().change_capacity(event_id, change, uuid.uuid4())


class AcceptsUsedOperations(EventStore):
    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        try:
            return await super().change_capacity(event_id, change, operation_id)
        except OperationReused:
            return await self.get(event_id)


class ForgetsEvents(EventStore):
    def after_kill(self) -> Self:
        return type(self)()


class ForgetsWhatIsTaken(EventStore):
    """Keeps the events, and what is left of them in memory only."""

    def after_kill(self) -> Self:
        for event in self.events.values():
            self.events[event.id] = replace(event, available=event.capacity)
        return self


class WritesBehind(EventStore):
    """It answers first and stores a little later."""

    def after_kill(self) -> Self:
        for booking_id in list(self.reservations)[-8:]:
            held = self.reservations.pop(booking_id)
            if held.event_id is not None:
                self.take(held.event_id, -held.count)
        return self
