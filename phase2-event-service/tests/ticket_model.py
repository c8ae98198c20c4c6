"""What the event service promises about tickets, in plain Python: one step at a time, nobody else about."""

from dataclasses import dataclass, field

from chassis.errors import ServiceError
from event_service.domain import (
    AlreadyReleased,
    EventNotFound,
    OperationReused,
    OtherReservation,
    SalesClosed,
    SoldOut,
    TicketsReserved,
)

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
        if self.reserved.get(booking, (event, count)) != (event, count):
            return OtherReservation
        if event not in self.capacity:
            return EventNotFound
        return self.left(event) if booking in self.reserved else self._take(booking, event, count)

    def _take(self, booking: int, event: int, count: int) -> Outcome:
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
