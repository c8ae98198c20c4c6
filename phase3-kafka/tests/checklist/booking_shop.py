"""A booking service and an event service in memory, behind one port: what they keep would be a database."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import grpc
from booking_service.proto import booking_pb2 as b
from booking_service.proto.booking_pb2_grpc import BookingServiceServicer, add_BookingServiceServicer_to_server
from event_service.proto import event_pb2 as e
from event_service.proto.event_pb2_grpc import EventServiceServicer, add_EventServiceServicer_to_server

from workbook.ports import free_port

Tell = Callable[[str, b.Booking], None]


class Publishing(Protocol):
    """Who tells Kafka of what happened to a booking."""

    def created(self, booking: b.Booking) -> None: ...
    def cancelled(self, booking: b.Booking) -> None: ...
    def refused(self, booking: b.Booking) -> None: ...
    def retried(self, booking: b.Booking) -> None: ...
    def cancelled_again(self, booking: b.Booking) -> None: ...


class Shop(EventServiceServicer, BookingServiceServicer):
    """Sells what is there; a retry gets the booking that its key has.

    `tells_first` is how many seconds its first booking is told of before it is there; the others show the mistake by
    chance only, and take no time.
    """

    def __init__(self, publishing: Publishing, *, tells_first: float = 0) -> None:
        self._publishing = publishing
        self._tells_first = tells_first
        self._left: dict[str, int] = {}
        self._bookings: dict[str, b.Booking] = {}
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()

    def CreateEvent(self, request: Any, context: Any) -> Any:
        event = e.Event(id=str(uuid.uuid4()), name=request.name, capacity=request.capacity)
        self._left[event.id] = request.capacity
        return e.CreateEventResponse(event=event)

    def CreateBooking(self, request: Any, context: Any) -> Any:
        if request.idempotency_key in self._keys:
            booking = self._bookings[self._keys[request.idempotency_key]]
            self._publishing.retried(booking)
            return b.CreateBookingResponse(booking=booking)
        booking = b.Booking(id=str(uuid.uuid4()), user_id=request.user_id, event_id=request.event_id)
        booking.ticket_count, booking.status = request.ticket_count, "CONFIRMED"
        booking.created_at.GetCurrentTime()
        with self._lock:
            sold = self._left[request.event_id] >= request.ticket_count
            self._left[request.event_id] -= request.ticket_count if sold else 0
        if not sold:
            self._publishing.refused(booking)
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not so many tickets are left")
        self._keep(booking, request.idempotency_key)
        return b.CreateBookingResponse(booking=booking)

    def GetBooking(self, request: Any, context: Any) -> Any:
        return b.GetBookingResponse(booking=self._bookings[request.booking_id])

    def ListUserBookings(self, request: Any, context: Any) -> Any:
        found = [booking for booking in list(self._bookings.values()) if booking.user_id == request.user_id]
        return b.ListUserBookingsResponse(bookings=found)

    def CancelBooking(self, request: Any, context: Any) -> Any:
        booking = self._bookings[request.booking_id]
        with self._lock:
            was, booking.status = booking.status, "CANCELLED"
        if was == "CONFIRMED":
            self._publishing.cancelled(booking)
        else:
            self._publishing.cancelled_again(booking)
        return b.CancelBookingResponse(success=True)

    def _keep(self, booking: b.Booking, key: str) -> None:
        if self._tells_first:
            self._publishing.created(booking)
            threading.Event().wait(0 if self._bookings else self._tells_first)
        self._bookings[booking.id] = booking
        if key:
            self._keys[key] = booking.id
        if not self._tells_first:
            self._publishing.created(booking)


class Serving:
    """A shop behind a port that it keeps, however often it is killed."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._server = self._started()

    def _started(self) -> grpc.Server:
        server = grpc.server(ThreadPoolExecutor(8))
        add_EventServiceServicer_to_server(self._shop, server)
        add_BookingServiceServicer_to_server(self._shop, server)
        server.add_insecure_port(self.address)
        server.start()
        return server

    def kill(self) -> None:
        self._server.stop(None).wait()

    def start(self) -> None:
        self._server = self._started()
