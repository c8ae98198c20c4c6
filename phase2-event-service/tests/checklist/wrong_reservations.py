"""Event repositories with one mistake each in how tickets are reserved and given back, over the right one in memory."""

import asyncio
import uuid
from dataclasses import replace

from chassis.errors import ResourceExhausted
from event_service.domain import AlreadyReleased, EventNotFound, OtherReservation, SoldOut, Wish
from tests.checklist.event_store import EventStore, Reservation
from tests.checklist.wrong_stores import A_WHILE


class ChecksThenReserves(EventStore):
    async def reserve(self, wish: Wish) -> int:
        event = await self.get(wish.event_id)
        if event.available < wish.ticket_count or wish.booking_id in self.reservations:
            return await super().reserve(wish)
        await asyncio.sleep(A_WHILE)
        self.reservations[wish.booking_id] = Reservation(wish.event_id, wish.ticket_count)
        return self.take(wish.event_id, wish.ticket_count)


class ReservesAgain(EventStore):
    async def reserved_before(self, wish: Wish, held: Reservation) -> int:
        await super().reserved_before(wish, held)
        return self.take(wish.event_id, wish.ticket_count)


class LooksForTheBookingFirst(EventStore):
    """The same booking at the same time passes the look twice."""

    async def reserve(self, wish: Wish) -> int:
        if wish.booking_id not in self.reservations:
            await asyncio.sleep(A_WHILE)
            self.reservations.pop(wish.booking_id, None)
        return await super().reserve(wish)


class AcceptsAnotherCount(EventStore):
    async def reserved_before(self, wish: Wish, held: Reservation) -> int:
        try:
            return await super().reserved_before(wish, held)
        except OtherReservation:
            return (await self.get(wish.event_id)).available


class ReservesWhatIsLeft(EventStore):
    async def reserve(self, wish: Wish) -> int:
        event = await self.get(wish.event_id)
        try:
            return await super().reserve(wish)
        except SoldOut:
            if not event.available:
                raise
            return await super().reserve(replace(wish, ticket_count=event.available))


class AnswersSoldOutAsExhausted(EventStore):
    async def reserve(self, wish: Wish) -> int:
        try:
            return await super().reserve(wish)
        except SoldOut as sold_out:
            raise ResourceExhausted(str(sold_out)) from sold_out


class SellsUnknownEventsOut(EventStore):
    async def reserve(self, wish: Wish) -> int:
        try:
            return await super().reserve(wish)
        except EventNotFound as unknown:
            raise SoldOut("no tickets are left") from unknown


class ReservesNothing(EventStore):
    async def reserve(self, wish: Wish) -> int:
        left = await super().reserve(wish)
        self.take(wish.event_id, -wish.ticket_count)
        return left


class GivesNothingBack(EventStore):
    async def release(self, booking_id: uuid.UUID) -> bool:
        held = self.reservations.get(booking_id)
        given = await super().release(booking_id)
        if given and held is not None and held.event_id is not None:
            self.take(held.event_id, held.count)
        return given


class GivesBackTwice(EventStore):
    async def release(self, booking_id: uuid.UUID) -> bool:
        held = self.reservations.get(booking_id)
        given = await super().release(booking_id)
        if not given and held is not None and held.event_id is not None:
            self.take(held.event_id, -held.count)
        return given


class GivesBackTwiceAtOnce(EventStore):
    async def release(self, booking_id: uuid.UUID) -> bool:
        held = self.reservations.get(booking_id)
        await asyncio.sleep(A_WHILE)
        if held is not None and not held.released:
            self.reservations[booking_id] = held
        return await super().release(booking_id)


class LeavesNoTombstone(EventStore):
    async def release(self, booking_id: uuid.UUID) -> bool:
        return booking_id in self.reservations and await super().release(booking_id)


class RevivesReleased(EventStore):
    async def reserved_before(self, wish: Wish, held: Reservation) -> int:
        try:
            return await super().reserved_before(wish, held)
        except AlreadyReleased:
            if held.event_id is None:
                raise
            self.reservations[wish.booking_id] = replace(held, released=False)
            return self.take(wish.event_id, wish.ticket_count)
