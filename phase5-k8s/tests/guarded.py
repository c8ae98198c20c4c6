"""The three services that ask who is calling, in this process, over one real PostgreSQL, and who calls them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from booking_service.proto import booking_pb2 as bookings_pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from event_service.proto import event_pb2 as events_pb
from event_service.proto.event_pb2_grpc import EventServiceStub
from google.protobuf.timestamp_pb2 import Timestamp
from phase5.app import guarded_bookings, guarded_events
from phase5.config import GuardedBookingSettings, GuardedEventSettings
from tests.tokens import bearer
from user_service.app import user_app
from user_service.config import UserSettings

SOON = Timestamp()
SOON.FromDatetime(datetime.now(UTC) + timedelta(days=30))


@dataclass(frozen=True, slots=True)
class System:
    """`users` ends the user service when it is closed: it may be away while the others work on."""

    bookings: Any
    events: Any
    users: AsyncExitStack
    folder: Path

    async def create(self, user_id: str, token: str, event_id: str, key: str = "") -> bookings_pb.Booking:
        request = bookings_pb.CreateBookingRequest(
            user_id=user_id, event_id=event_id, ticket_count=2, idempotency_key=key
        )
        booking: bookings_pb.Booking = (await self.bookings.CreateBooking(request, metadata=bearer(token))).booking
        return booking

    async def get(self, booking_id: str, token: str) -> Any:
        return await self.bookings.GetBooking(
            bookings_pb.GetBookingRequest(booking_id=booking_id), metadata=bearer(token)
        )

    async def cancel(self, booking_id: str, token: str) -> Any:
        return await self.bookings.CancelBooking(
            bookings_pb.CancelBookingRequest(booking_id=booking_id), metadata=bearer(token)
        )

    async def list(self, user_id: str, token: str) -> list[str]:
        request = bookings_pb.ListUserBookingsRequest(user_id=user_id)
        return [found.id for found in (await self.bookings.ListUserBookings(request, metadata=bearer(token))).bookings]

    async def put_on_sale(self, token: str, capacity: int = 100) -> str:
        new = events_pb.CreateEventRequest(
            name="Jazz", kind="concert", starts_at=SOON, venue="Babylon", capacity=capacity
        )
        return str((await self.events.CreateEvent(new, metadata=bearer(token))).event.id)


@asynccontextmanager
async def guarded_system(
    users: UserSettings, events: GuardedEventSettings, bookings: GuardedBookingSettings
) -> AsyncIterator[System]:
    async with AsyncExitStack() as stack:
        of_users = await stack.enter_async_context(AsyncExitStack())
        user_server = await of_users.enter_async_context(user_app(users))
        known = {"user_address": f"127.0.0.1:{user_server.port}"}
        event_server = await stack.enter_async_context(guarded_events(events.model_copy(update=known)))
        known["event_address"] = event_address = f"127.0.0.1:{event_server.port}"
        app = await stack.enter_async_context(guarded_bookings(bookings.model_copy(update=known)))
        to_bookings, to_events = [
            await stack.enter_async_context(grpc.aio.insecure_channel(address))
            for address in (f"127.0.0.1:{app.server.port}", event_address)
        ]
        yield System(BookingServiceStub(to_bookings), EventServiceStub(to_events), of_users, users.keys_folder)
