"""The services of phase 2, or of phase 3, as processes, and a client that remembers what it was told."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
from booking_saga.inventory import reason_of
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from counting_laws import miscounted
from event_service.proto import event_pb2 as events_pb
from event_service.proto.event_pb2_grpc import EventServiceStub
from google.protobuf.timestamp_pb2 import Timestamp
from invariants import Broken, broken_laws

from tests.waiting import PATIENCE, until_async
from workbook.postgres import connect
from workbook.stack import LocalStack

if TYPE_CHECKING:
    from booking_service.proto.booking_pb2_grpc import BookingServiceAsyncStub
    from event_service.proto.event_pb2_grpc import EventServiceAsyncStub

# What a client may hear while something is away, and tries again after. CANCELLED is gRPC's own answer to calls that
# have reached a server which stops, and which it had not begun.
AWAY = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
EAGER = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]


@dataclass
class Shop:
    """A client's view of the system: what it was told is in `acknowledged`, what it was not in `problems`."""

    stack: LocalStack
    bookings: "BookingServiceAsyncStub"
    events: "EventServiceAsyncStub"
    acknowledged: set[uuid.UUID] = field(default_factory=set)
    problems: Counter[grpc.StatusCode] = field(default_factory=Counter)

    async def event(self, capacity: int) -> str:
        """The id of a new event."""
        starts_at = Timestamp()
        starts_at.FromDatetime(datetime.now(UTC) + timedelta(days=30))
        new = events_pb.CreateEventRequest(
            name="Jazz night", kind="concert", starts_at=starts_at, venue="Babylon", capacity=capacity
        )
        return (await self.events.CreateEvent(new, timeout=10, wait_for_ready=True)).event.id

    async def left(self, event_id: str) -> int:
        request = events_pb.GetEventRequest(event_id=event_id)
        return (await self.events.GetEvent(request, timeout=10, wait_for_ready=True)).event.available_tickets

    async def try_to_book(self, user: str, event_id: str, tickets: int = 1, key: str = "key") -> pb.Booking | str:
        """The booking, or why it was refused; raises AioRpcError when that is not known."""
        wish = pb.CreateBookingRequest(user_id=user, event_id=event_id, ticket_count=tickets, idempotency_key=key)
        try:
            booking = (await self.bookings.CreateBooking(wish, timeout=PATIENCE / 3, wait_for_ready=True)).booking
        except grpc.aio.AioRpcError as error:
            if error.code() in AWAY:
                self.problems[error.code()] += 1
                raise
            return reason_of(error) or str(error.code().name)
        if booking.status == "CONFIRMED":
            self.acknowledged.add(uuid.UUID(booking.id))
        return booking

    async def book(self, user: str, event_id: str, tickets: int = 1, key: str = "key") -> pb.Booking | str:
        """As `try_to_book`, again and again with the same key until there is an answer."""
        return await answered(lambda: self.try_to_book(user, event_id, tickets, key))

    async def cancel(self, booking_id: str) -> None:
        """Cancels, again and again until it is done."""
        request = pb.CancelBookingRequest(booking_id=booking_id)
        await answered(lambda: self.bookings.CancelBooking(request, timeout=5, wait_for_ready=True))

    async def status(self, booking_id: str) -> str:
        request = pb.GetBookingRequest(booking_id=booking_id)
        return (
            await answered(lambda: self.bookings.GetBooking(request, timeout=5, wait_for_ready=True))
        ).booking.status

    async def laws(self) -> list[Broken]:
        """The laws as they stand now."""
        settings = [self.stack.settings_of(name) for name in ("booking-service", "event-service")]
        found = await asyncio.to_thread(broken_laws, *settings, acknowledged=self.acknowledged, pending_limit=0)
        if "metrics-consumer" in self.stack.parts:
            metrics = self.stack.settings_of("metrics-consumer")
            found += await asyncio.to_thread(miscounted, settings[0], metrics)
        return found

    async def comes_to_rest(self, patience: float = PATIENCE) -> None:
        """Returns once every law holds and nothing is PENDING; fails with what is broken when that does not come."""
        found: list[Broken] = []

        async def lawful() -> bool:
            found[:] = await self.laws()
            return not found

        try:
            await until_async(lawful, patience)
        except AssertionError:
            raise AssertionError(f"broken after {patience:g} s: {found}") from None

    def an_hour_passes(self) -> None:
        """For recovery: what is PENDING is past its limit, and no lease on a booking is left."""
        with connect(self.stack["postgres"].address, "booking_db") as connection, connection.transaction():
            connection.execute("LOCK bookings IN SHARE ROW EXCLUSIVE MODE")  # all rows at once, in no order
            connection.execute("UPDATE bookings SET created_at = created_at - interval '1 hour', settle_at = now()")


@asynccontextmanager
async def open_shop(stack: LocalStack, booking_service: str = "booking-service") -> AsyncIterator[Shop]:
    """A client of the stack; `booking_service` is the replica that it talks to."""
    async with AsyncExitStack() as channels:
        booking, event = [
            await channels.enter_async_context(grpc.aio.insecure_channel(stack[name].address, EAGER))
            for name in (booking_service, "event-service")
        ]
        yield Shop(stack, BookingServiceStub(booking), EventServiceStub(event))


async def answered(call: Any) -> Any:
    """The answer of `call()`, tried again while something is away."""
    async with asyncio.timeout(2 * PATIENCE):
        while True:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                if error.code() not in AWAY:
                    raise
            await asyncio.sleep(0.02)


async def all_of(*calls: Awaitable[Any]) -> list[Any]:
    """What they return or raise, all started at once."""
    return list(await asyncio.gather(*calls, return_exceptions=True))
