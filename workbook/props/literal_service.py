"""The booking service as the roadmap's flow says it, word for word: ask, look, book, take. Lesson 2 shows its fault.

`python -m workbook.props.literal_service PORT EVENT_ADDRESS [--lock]` serves it; bookings are kept in memory.
"""

import argparse
import asyncio
import contextlib
import uuid
from typing import Any

import grpc
from booking_service.handler import BookingHandler
from booking_service.inventory import EveryEventHasTickets
from booking_service.memory import InMemoryBookings
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc
from booking_service.service import BookingUseCases
from event_service.proto import event_pb2, event_pb2_grpc


class LiteralBookings(BookingHandler):
    """CreateBooking in the roadmap's five steps; with `lock`, one call at a time."""

    def __init__(self, events: "event_pb2_grpc.EventServiceAsyncStub", *, lock: bool) -> None:
        super().__init__(BookingUseCases(InMemoryBookings(), EveryEventHasTickets()))
        self._events = events
        self._turn: Any = asyncio.Lock() if lock else contextlib.nullcontext()

    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Any) -> pb.CreateBookingResponse:  # noqa: N802 - gRPC's name
        async with self._turn:
            question = event_pb2.GetEventRequest(event_id=request.event_id)
            asked = await self._events.GetEvent(question, timeout=10)
            if asked.event.available_tickets < request.ticket_count:
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "sold out")
            made = await super().CreateBooking(request, context)
            await self._lower_capacity(request)
            return made

    async def _lower_capacity(self, request: pb.CreateBookingRequest) -> None:
        change = event_pb2.UpdateTicketsRequest(
            event_id=request.event_id, change=-request.ticket_count, operation_id=str(uuid.uuid4())
        )
        with contextlib.suppress(grpc.aio.AioRpcError):  # too late: the booking is made
            await self._events.UpdateAvailableTickets(change, timeout=10)


async def main(port: int, event_address: str, *, lock: bool) -> None:
    async with grpc.aio.insecure_channel(event_address) as channel:
        server = grpc.aio.server()
        bookings = LiteralBookings(event_pb2_grpc.EventServiceStub(channel), lock=lock)
        booking_pb2_grpc.add_BookingServiceServicer_to_server(bookings, server)
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        await server.wait_for_termination()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve bookings as the roadmap's flow says it, word for word.")
    parser.add_argument("port", type=int)
    parser.add_argument("event_address", metavar="HOST:PORT")
    parser.add_argument("--lock", action="store_true", help="one call at a time, by a lock in this process")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.port, chosen.event_address, lock=chosen.lock))
