"""What the use cases need from storage. PostgreSQL implements it in postgres.py."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.paging import Position

from event_service.domain import Event, EventChanges, NewEvent, Wish


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to list; None and False leave a condition out. `venue` is part of a name, in any case."""

    kind: str | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    venue: str | None = None
    only_available: bool = False


class EventRepository(Protocol):
    async def create(self, new: NewEvent) -> Event: ...

    async def get(self, event_id: uuid.UUID) -> Event:
        """Raises EventNotFound."""
        ...

    async def page(self, wanted: Filter, limit: int, after: Position | None = None) -> list[Event]:
        """At most `limit` events, soonest first, from behind `after`."""
        ...

    async def update(self, event_id: uuid.UUID, changes: EventChanges) -> Event:
        """The event as it is afterwards; raises EventNotFound."""
        ...

    async def delete(self, event_id: uuid.UUID) -> None:
        """Raises EventNotFound, and TicketsReserved while tickets are set aside."""
        ...

    async def change_capacity(self, event_id: uuid.UUID, change: int, operation_id: uuid.UUID) -> Event:
        """Adds or withdraws tickets, once an operation id.

        Raises EventNotFound, TicketsReserved, CapacityTooLarge, OperationReused.
        """
        ...

    async def reserve(self, wish: Wish) -> int:
        """Sets the tickets aside, all or none, once a booking id; returns how many are left for others.

        Raises EventNotFound, SoldOut, SalesClosed, AlreadyReleased, OtherReservation.
        """
        ...

    async def release(self, booking_id: uuid.UUID) -> bool:
        """Gives a booking's tickets back; True the first time. Without a reservation it makes a later one fail."""
        ...

    async def many(self, event_ids: Sequence[uuid.UUID]) -> list[Event]:
        """Those of these events that exist, in any order."""
        ...
