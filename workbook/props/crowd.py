"""Events to sell and crowds to buy: the same few calls that lesson 2 makes again and again."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import grpc
from booking_saga.inventory import reason_of
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc
from event_service.proto import event_pb2, event_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp


@dataclass
class Sale:
    """What a crowd got: tickets sold, by booking id; what the others were told, counted; how long all of it took."""

    bookings: dict[str, int] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    seconds: float = 0

    @property
    def tickets(self) -> int:
        return sum(self.bookings.values())

    @property
    def rate(self) -> float:
        """Answers a second."""
        return (len(self.bookings) + self.told.total()) / self.seconds


async def on_sale(event_address: str, capacity: int, name: str = "Jazz night") -> str:
    """Puts a new event on sale; returns its id."""
    starts_at = Timestamp()
    starts_at.FromJsonString("2099-12-31T20:00:00Z")
    new = event_pb2.CreateEventRequest(
        name=name, kind="concert", starts_at=starts_at, venue="Babylon", capacity=capacity
    )
    async with grpc.aio.insecure_channel(event_address) as channel:
        return str((await event_pb2_grpc.EventServiceStub(channel).CreateEvent(new, timeout=10)).event.id)


async def tickets_left(event_address: str, event_id: str) -> int:
    async with grpc.aio.insecure_channel(event_address) as channel:
        ask = event_pb2.GetEventRequest(event_id=event_id)
        return int((await event_pb2_grpc.EventServiceStub(channel).GetEvent(ask, timeout=10)).event.available_tickets)


async def crowd(
    booking_addresses: Sequence[str],
    event_id: str,
    wishes: Sequence[int],
    *,
    over: float = 0,
    patience: float = 20,
    sold: Callable[[int], None] = lambda _: None,
    sale: Sale | None = None,
) -> Sale:
    """One buyer for each of `wishes` (tickets), all at once or spread over `over` seconds, at the addresses in turn.

    `sold` is called with the tickets of each booking that is confirmed. `sale` is filled while they buy, for those who
    look on.
    """
    sale = sale or Sale()

    async def buy(number: int, count: int) -> None:
        await asyncio.sleep(over * number / len(wishes))
        wish = pb.CreateBookingRequest(user_id=f"buyer-{number}", event_id=event_id, ticket_count=count)
        try:
            made = await stubs[number % len(stubs)].CreateBooking(wish, timeout=patience)
        except grpc.aio.AioRpcError as error:
            sale.told[reason_of(error) or error.code().name] += 1
            return
        sale.bookings[made.booking.id] = count
        sold(count)

    async with AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(grpc.aio.insecure_channel(each)) for each in booking_addresses]
        stubs = [booking_pb2_grpc.BookingServiceStub(channel) for channel in channels]
        began = time.perf_counter()
        await asyncio.gather(*(buy(number, count) for number, count in enumerate(wishes)))
        sale.seconds = time.perf_counter() - began
    return sale
