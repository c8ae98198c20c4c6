"""Services that have the roadmap and nothing else, as a learner may write them.

    python roadmap_system.py event-service [renumbered]
    python roadmap_system.py booking-service EVENT_SERVICE_PORT

Numbers as ids, everything in memory, no reservations, no operation ids, no health service; bookings are made by the
roadmap's literal flow: ask, book, tell. Each prints its port and ends with its standard input.
"""

import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection
from tests.checklist.roadmap_server import PROTO as BOOKING_PROTO
from tests.checklist.roadmap_server import Refused, compiled

EVENT_PROTO = Path(__file__).parent / "roadmap_event.proto.txt"
PATIENCE = 3  # seconds for the event service
Code = grpc.StatusCode
Messages = Mapping[str, Any]


class Events:
    """The four methods over a list; an event's id is its place in it, counted from 1."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._stored: list[Any] = []
        self._lock = threading.Lock()

    def CreateEvent(self, request: Any, answer: Any) -> None:
        fine = is_name(request.name) and is_name(request.venue) and 1 <= request.capacity <= 100_000
        if not (fine and 0 < request.starts_at.seconds < 2**37):
            raise Refused(Code.INVALID_ARGUMENT, "wrong field")
        given = {field: getattr(request, field) for field in ("name", "kind", "venue", "capacity")}
        event = self._messages["Event"](**given, available_tickets=request.capacity, starts_at=request.starts_at)
        with self._lock:
            event.id = str(len(self._stored) + 1)
            self._stored.append(event)
        answer.event.CopyFrom(event)

    def GetEvent(self, request: Any, answer: Any) -> None:
        answer.event.CopyFrom(found(self._stored, request.event_id))

    def ListEvents(self, request: Any, answer: Any) -> None:
        answer.events.extend(sorted(self._stored, key=lambda event: event.starts_at.seconds))

    def UpdateAvailableTickets(self, request: Any, answer: Any) -> None:
        event = found(self._stored, request.event_id)
        with self._lock:
            if event.available_tickets + request.change < 0:
                raise Refused(Code.FAILED_PRECONDITION, "not so many tickets are left")
            event.available_tickets += request.change
            answer.event.CopyFrom(event)


class Bookings:
    """The four methods over a list, each booking with its tickets taken at the event service."""

    def __init__(self, messages: Messages, events: Messages, channel: grpc.Channel) -> None:
        self._messages = messages
        self._stored: list[Any] = []
        self._lock = threading.Lock()
        self._events = events
        self._channel = channel

    def CreateBooking(self, request: Any, answer: Any) -> None:
        if not (1 <= request.ticket_count <= 100 and is_name(request.user_id) and is_name(request.event_id)):
            raise Refused(Code.INVALID_ARGUMENT, "wrong field")
        self._ask("GetEvent", "GetEvent", event_id=request.event_id)
        wish = {name: getattr(request, name) for name in ("user_id", "event_id", "ticket_count")}
        booking = self._messages["Booking"](status="PENDING", **wish)
        booking.created_at.GetCurrentTime()
        with self._lock:
            booking.id = str(len(self._stored) + 1)
            self._stored.append(booking)
        try:
            self._change(booking, -request.ticket_count)
        except Refused:
            booking.status = "CANCELLED"
            raise
        booking.status = "CONFIRMED"
        answer.booking.CopyFrom(booking)

    def GetBooking(self, request: Any, answer: Any) -> None:
        answer.booking.CopyFrom(found(self._stored, request.booking_id))

    def ListUserBookings(self, request: Any, answer: Any) -> None:
        answer.bookings.extend(booking for booking in reversed(self._stored) if booking.user_id == request.user_id)

    def CancelBooking(self, request: Any, answer: Any) -> None:
        booking = found(self._stored, request.booking_id)
        with self._lock:
            was, booking.status = booking.status, "CANCELLED"
        if was == "CONFIRMED":
            try:
                self._change(booking, booking.ticket_count)
            except Refused:
                booking.status = was
                raise
        answer.success = True

    def _change(self, booking: Any, change: int) -> None:
        self._ask("UpdateAvailableTickets", "UpdateTickets", event_id=booking.event_id, change=change)

    def _ask(self, method: str, messages: str, **request: Any) -> Any:
        call = self._channel.unary_unary(
            f"/event.EventService/{method}",
            request_serializer=self._events[f"{messages}Request"].SerializeToString,
            response_deserializer=self._events[f"{messages}Response"].FromString,
        )
        try:
            return call(self._events[f"{messages}Request"](**request), timeout=PATIENCE)
        except grpc.RpcError as error:
            refusal: Any = error
            away = refusal.code() in {Code.DEADLINE_EXCEEDED, Code.UNAVAILABLE}
            raise Refused(Code.UNAVAILABLE if away else refusal.code(), refusal.details()) from error


def found(stored: list[Any], number: str) -> Any:
    if not number.isdecimal() or len(number) > 10 or not 0 < int(number) <= len(stored):
        raise Refused(Code.NOT_FOUND, "there is none of this id")
    return stored[int(number) - 1]


def is_name(text: str) -> bool:
    return text.isprintable() and bool(text.strip()) and len(text) <= 100


def messages_of(pool: DescriptorPool, service: str) -> Messages:
    file = pool.FindFileContainingSymbol(service)
    return {name: GetMessageClass(message) for name, message in file.message_types_by_name.items()}


def handler(pool: DescriptorPool, service: str, methods: object) -> grpc.GenericRpcHandler:
    def method(described: Any) -> Any:
        respond: Callable[[Any, Any], None] = getattr(methods, described.name)
        response = GetMessageClass(described.output_type)

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            message = response()
            try:
                respond(request, message)
            except Refused as refusal:
                context.abort(refusal.code, str(refusal))
            return message

        read = GetMessageClass(described.input_type).FromString
        return grpc.unary_unary_rpc_method_handler(answer, read, response.SerializeToString)

    described = pool.FindServiceByName(service).methods
    return grpc.method_handlers_generic_handler(service, {each.name: method(each) for each in described})


def serve(pool: DescriptorPool, service: str, methods: object) -> None:
    server = grpc.server(ThreadPoolExecutor(40))
    server.add_generic_rpc_handlers((handler(pool, service, methods),))
    reflection.enable_server_reflection((service, reflection.SERVICE_NAME), server, pool=pool)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(None)


def main(service: str, more: list[str]) -> None:
    events = compiled(EVENT_PROTO.read_text().replace("change = 2", f"change = {4 if 'renumbered' in more else 2}"))
    if service == "event-service":
        serve(events, "event.EventService", Events(messages_of(events, "event.EventService")))
    else:
        bookings = compiled(BOOKING_PROTO.read_text())
        described = messages_of(bookings, "booking.BookingService"), messages_of(events, "event.EventService")
        with grpc.insecure_channel(f"127.0.0.1:{more[0]}") as channel:
            serve(bookings, "booking.BookingService", Bookings(*described, channel))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
