"""An event's books at one moment, in plain Python: what stands against a wish, and what is left behind it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from chassis.errors import ServiceError

from event_service.domain import AlreadyReleased, EventNotFound, OtherReservation, SalesClosed, SoldOut, Wish


@dataclass(frozen=True, slots=True)
class Held:
    """What a booking holds, or held until it was `released`; a tombstone never held anything, and has no event."""

    event_id: uuid.UUID | None
    ticket_count: int | None
    released: bool = False


@dataclass(slots=True)
class Ledger:
    """One event, and what the bookings in question hold. `available` is None when there is no such event."""

    available: int | None
    on_sale: bool = True
    held: dict[uuid.UUID, Held] = field(default_factory=dict)

    def serve_all(self, wishes: Sequence[Wish]) -> tuple[list[int | ServiceError], list[Wish]]:
        """The verdict on each wish, in their order, and the wishes whose tickets have to be taken.

        A verdict is the number of tickets left for others, or what stands against the wish. Who came first is served
        first; behind a wish that is too large, a smaller one may still fit.
        """
        verdicts: list[int | ServiceError] = []
        taken: list[Wish] = []
        for wish in wishes:
            try:
                if self.serve(wish):
                    taken.append(wish)
                verdicts.append(self.available or 0)
            except ServiceError as refusal:
                verdicts.append(refusal)
        return verdicts, taken

    def serve(self, wish: Wish) -> bool:
        """Takes the wish's tickets, in these books only; False if the booking holds them already.

        Raises EventNotFound, SoldOut, SalesClosed, AlreadyReleased, OtherReservation.
        """
        held = self.held.get(wish.booking_id)
        if held is not None:
            _check_same(wish, held)
        if self.available is None:
            raise EventNotFound(wish.event_id)
        if held is not None:
            return False
        if not self.on_sale:
            raise SalesClosed("sales closed when the event began")
        if self.available < wish.ticket_count:
            left = "1 ticket is" if self.available == 1 else f"{self.available} tickets are"
            raise SoldOut(f"{left} left, {wish.ticket_count} were wanted")
        self.available -= wish.ticket_count
        self.held[wish.booking_id] = Held(wish.event_id, wish.ticket_count)
        return True


def _check_same(wish: Wish, held: Held) -> None:
    if held.released:
        raise AlreadyReleased(f"booking {wish.booking_id} has given its tickets back")
    if (held.event_id, held.ticket_count) != (wish.event_id, wish.ticket_count):
        raise OtherReservation(f"booking {wish.booking_id} holds {held.ticket_count} tickets of event {held.event_id}")
