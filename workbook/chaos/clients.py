"""The clients of a random run: they do what the plan says, and write down every call."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import grpc
from booking_saga.inventory import reason_of
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from event_service.proto import event_pb2 as events_pb
from event_service.proto.event_pb2_grpc import EventServiceStub

from workbook.chaos.history import OK, REFUSED, UNKNOWN, WRONG, Call, History
from workbook.chaos.plan import Wish

PATIENCE = 3.0  # seconds a call may take
OUTCOMES = {
    grpc.StatusCode.CANCELLED: UNKNOWN,  # gRPC's own answer to calls that reach a server while it stops
    grpc.StatusCode.UNAVAILABLE: UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED: UNKNOWN,
    grpc.StatusCode.RESOURCE_EXHAUSTED: UNKNOWN,
    grpc.StatusCode.FAILED_PRECONDITION: REFUSED,
}
"""What the caller learns from a status; from any other it learns that there is a bug."""

_PAUSE = 0.2  # seconds before the next try

Answer = dict[str, Any]
Ask = Callable[[], Awaitable[Answer]]


@dataclass
class Client:
    """One client, which does one thing after the other.

    `events` are the ids of the run's events, `mine` its bookings, `held` those it knows not to be given back.
    """

    number: int
    wishes: Iterator[Wish]
    bookings: Any
    events_service: Any
    events: list[str]
    history: History
    mine: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    async def run(self, over: asyncio.Event) -> None:
        """Does as the plan says until the run is over; what is under way then is finished."""
        while not over.is_set():
            wish = next(self.wishes)
            await getattr(self, wish.kind)(wish)

    async def book(self, wish: Wish) -> None:
        event = self.events[wish.event]
        request = pb.CreateBookingRequest(
            user_id=f"client-{self.number}", event_id=event, ticket_count=wish.tickets, idempotency_key=wish.key
        )

        async def ask() -> Answer:
            booking = (await self.bookings.CreateBooking(request, timeout=PATIENCE)).booking
            return {"booking": booking.id, "status": booking.status}

        made = await self._until_known(ask, wish.tries, "book", key=wish.key, event=event, tickets=wish.tickets)
        if made.booking:
            self.mine.append(made.booking)
            self.held.append(made.booking)

    async def cancel(self, wish: Wish) -> None:
        booking = _one_of(self.held, wish)

        async def ask() -> Answer:
            await self.bookings.CancelBooking(pb.CancelBookingRequest(booking_id=booking), timeout=PATIENCE)
            return {"status": "CANCELLED"}

        if booking and (await self._until_known(ask, wish.tries, "cancel", booking=booking)).outcome == OK:
            self.held.remove(booking)

    async def read(self, wish: Wish) -> None:
        booking = _one_of(self.mine, wish)

        async def ask() -> Answer:
            request = pb.GetBookingRequest(booking_id=booking)
            return {"status": (await self.bookings.GetBooking(request, timeout=PATIENCE)).booking.status}

        if booking:
            await self._noted(ask, "read", booking=booking)

    async def look(self, wish: Wish) -> None:
        event = self.events[wish.event]

        async def ask() -> Answer:
            request = events_pb.GetEventRequest(event_id=event)
            return {"tickets": (await self.events_service.GetEvent(request, timeout=PATIENCE)).event.available_tickets}

        await self._noted(ask, "look", event=event)

    async def add(self, wish: Wish) -> None:
        event = self.events[wish.event]
        operation = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event}/{wish.key}"))
        request = events_pb.UpdateTicketsRequest(event_id=event, change=wish.change, operation_id=operation)

        async def ask() -> Answer:
            await self.events_service.UpdateAvailableTickets(request, timeout=PATIENCE)
            return {}

        await self._until_known(ask, wish.tries, "add", key=operation, event=event, tickets=wish.change)

    async def _until_known(self, ask: Ask, tries: int, what: str, **about: Any) -> Call:
        for _ in range(tries):
            call = await self._noted(ask, what, **about)
            if call.outcome != UNKNOWN:
                break
            await asyncio.sleep(_PAUSE)
        return call

    async def _noted(self, ask: Ask, what: str, **about: Any) -> Call:
        began = self.history.now()
        try:
            answer = {"outcome": OK, **await ask()}
        except grpc.aio.AioRpcError as error:
            answer = {"outcome": OUTCOMES.get(error.code(), WRONG), "reason": reason_of(error) or error.code().name}
        call = Call(self.number, what, began, self.history.now(), **{**about, **answer})
        self.history.calls.append(call)
        return call


class Observer(Client):
    """Looks at each event in turn, a few times a second: for the picture."""

    async def run(self, over: asyncio.Event) -> None:
        for event in cycle(range(len(self.events))):
            if over.is_set():
                return
            await self.look(Wish("look", "", event, 0, 0, 1, 0))
            await asyncio.sleep(0.05)


def stubs(bookings: grpc.aio.Channel, events: grpc.aio.Channel) -> tuple[Any, Any]:
    return BookingServiceStub(bookings), EventServiceStub(events)


def _one_of(bookings: list[str], wish: Wish) -> str:
    return bookings[int(wish.which * len(bookings))] if bookings else ""
