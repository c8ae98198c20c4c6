"""Ways of a booking service to buy tickets at the event service, the right one and wrong ones with one mistake each."""

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import grpc
from booking_saga.inventory import CancelledMeanwhile, EventServiceAway, EventServiceInventory, NoSuchEvent, SoldOut
from booking_service.domain import Booking, Status
from booking_service.inventory import TicketsRefused
from booking_service.service import BookingUseCases
from event_service.proto import event_pb2 as pb
from event_service.proto.event_pb2_grpc import EventServiceStub

A_WHILE = 0.1  # seconds: long enough for whoever else acts between the check and the act


class Inventory(EventServiceInventory):
    """The right one. It has no database to recover from: what cannot be given back now, it tries again until it is."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__(channel)
        self._stub = EventServiceStub(channel)
        self._later: set[asyncio.Task[None]] = set()

    async def release(self, booking: Booking) -> None:
        try:
            await self.give_back(booking.id)
        except EventServiceAway:
            self.later(self._until_given_back(booking.id))

    async def _until_given_back(self, booking_id: uuid.UUID) -> None:
        while True:
            await asyncio.sleep(0.2)
            try:
                return await self.give_back(booking_id)
            except EventServiceAway:
                continue

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


class TakesNothing(Inventory):
    async def reserve(self, booking: Booking) -> None:
        await self._stub.GetEvent(pb.GetEventRequest(event_id=booking.event_id))


class TakesOneOnly(Inventory):
    async def reserve(self, booking: Booking) -> None:
        await super().reserve(replace(booking, ticket_count=1))


class TellsSoldOutAsAway(Inventory):
    async def reserve(self, booking: Booking) -> None:
        try:
            await super().reserve(booking)
        except SoldOut as sold_out:
            raise EventServiceAway("try again") from sold_out


class ForgetsTheReason(Inventory):
    async def reserve(self, booking: Booking) -> None:
        try:
            await super().reserve(booking)
        except SoldOut as sold_out:
            raise TicketsRefused(str(sold_out)) from sold_out


class BelievesInAnyEvent(Inventory):
    async def reserve(self, booking: Booking) -> None:
        try:
            await super().reserve(booking)
        except NoSuchEvent:
            return


class KeepsTheTickets(Inventory):
    async def release(self, booking: Booking) -> None:
        pass


class GivesBackEachTime(Inventory):
    """Gives back by count, as the roadmap's literal flow would: it cannot tell the second time from the first."""

    async def release(self, booking: Booking) -> None:
        if booking.reason in {SoldOut.reason, NoSuchEvent.reason, CancelledMeanwhile.reason}:
            return
        try:
            await self._stub.UpdateAvailableTickets(
                pb.UpdateTicketsRequest(
                    event_id=booking.event_id, change=booking.ticket_count, operation_id=str(uuid.uuid4())
                )
            )
        except grpc.aio.AioRpcError:
            await super().release(booking)


class AsksAndThenActs(Inventory):
    """Looks whether tickets are left, promises, and does not mind whether they were still there."""

    async def reserve(self, booking: Booking) -> None:
        try:
            event = (await self._stub.GetEvent(pb.GetEventRequest(event_id=booking.event_id))).event
        except grpc.aio.AioRpcError:
            return await super().reserve(booking)
        if event.available_tickets < booking.ticket_count:
            raise SoldOut(f"{event.available_tickets} tickets are left")
        await asyncio.sleep(A_WHILE)
        try:
            await super().reserve(booking)
        except SoldOut:
            return None


class RefusesWhoComesTogether(Inventory):
    """Sells to one buyer at a time, and tells the others that nothing is left."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__(channel)
        self._busy: set[tuple[str, int]] = set()

    async def reserve(self, booking: Booking) -> None:
        if booking.key is not None or booking.ticket_count > 1:
            return await super().reserve(booking)
        if (booking.event_id, 1) in self._busy:
            raise SoldOut("somebody else is buying")
        self._busy.add((booking.event_id, 1))
        try:
            await asyncio.sleep(A_WHILE)
            await super().reserve(booking)
        finally:
            self._busy.remove((booking.event_id, 1))


class ReservesUnderNewIds(Inventory):
    """Each attempt has an id of its own, so the event service cannot know the second one as a retry."""

    async def reserve(self, booking: Booking) -> None:
        if booking.key is not None:
            await asyncio.sleep(A_WHILE)
            booking = replace(booking, id=uuid.uuid4())
        await super().reserve(booking)


class LeavesPending(BookingUseCases):
    async def complete(self, booking: Booking) -> Booking:
        if booking.status is Status.PENDING:
            await self._inventory.reserve(booking)
            return await self._bookings.move(booking.id, Status.CONFIRMED)
        return booking


class ReservesOnEveryCall(BookingUseCases):
    """A retry of what is CONFIRMED reserves again, under an id of its own."""

    async def complete(self, booking: Booking) -> Booking:
        if booking.status is Status.CONFIRMED:
            await self._inventory.reserve(replace(booking, id=uuid.uuid4()))
        return await super().complete(booking)
