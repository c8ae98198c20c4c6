"""What a booking service can do wrong while the event service does not answer, one mistake each."""

import asyncio
import uuid
from dataclasses import replace

import grpc
from booking_saga.inventory import EventServiceAway
from booking_service.domain import Booking, NewBooking
from booking_service.inventory import TicketInventory
from booking_service.repository import BookingRepository
from booking_service.service import BookingUseCases
from tests.checklist.wrong_buying import Inventory


class SendsAgainBehind(Inventory):
    """What failed is sent again behind the caller's back, under another id than the caller's own retry."""

    async def reserve(self, booking: Booking) -> None:
        try:
            await super().reserve(booking)
        except EventServiceAway:
            self.later(self._until_reserved(replace(booking, id=uuid.uuid4())))
            raise

    async def _until_reserved(self, booking: Booking) -> None:
        while True:
            await asyncio.sleep(0.2)
            try:
                return await super().reserve(booking)
            except EventServiceAway:
                continue


class ConfirmsWhenUnsure(Inventory):
    async def reserve(self, booking: Booking) -> None:
        try:
            await super().reserve(booking)
        except EventServiceAway:
            self.later(self._until_known(booking))

    async def _until_known(self, booking: Booking) -> None:
        while True:
            await asyncio.sleep(0.2)
            try:
                return await super().reserve(booking)
            except EventServiceAway:
                continue


class ForgetsWhatIsPutOff(Inventory):
    async def _until_given_back(self, booking_id: uuid.UUID) -> None:
        pass


class GivesUpForEver(Inventory):
    """Once the event service was away, it is away for good."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__(channel)
        self._given_up = False

    async def reserve(self, booking: Booking) -> None:
        if self._given_up:
            raise EventServiceAway("it was away before")
        try:
            await super().reserve(booking)
        except EventServiceAway:
            self._given_up = True
            raise


class StaysDisconnected(Inventory):
    """Takes its first connection for the only one it will ever have."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__(channel)
        self._channel = channel
        self._connected = self._lost = False

    async def reserve(self, booking: Booking) -> None:
        ready = self._channel.get_state() is grpc.ChannelConnectivity.READY
        self._lost = self._lost or (self._connected and not ready)
        self._connected = self._connected or ready
        if self._lost:
            raise EventServiceAway("the connection is lost")
        await super().reserve(booking)


class OneAtATime(BookingUseCases):
    """A lock around everything, held while it waits for another service."""

    def __init__(self, bookings: BookingRepository, inventory: TicketInventory) -> None:
        super().__init__(bookings, inventory)
        self._lock = asyncio.Lock()

    async def create(self, wish: NewBooking) -> Booking:
        async with self._lock:
            return await super().create(wish)

    async def get(self, booking_id: uuid.UUID) -> Booking:
        async with self._lock:
            return await super().get(booking_id)
