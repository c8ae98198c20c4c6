"""One operation offered twice over the same bookings: `python -m workbook.props.twin_server GRPC_PORT REST_PORT`."""

import asyncio
import sys

import grpc
from booking_service.domain import Booking, check_booking_id
from booking_service.handler import BookingHandler
from booking_service.inventory import EveryEventHasTickets
from booking_service.memory import InMemoryBookings
from booking_service.proto import booking_pb2_grpc
from booking_service.service import BookingUseCases
from chassis.errors import InvalidArgument, NotFound
from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler


class BookingResource(RequestHandler):
    """GET /v1/bookings/ID: what GetBooking is over gRPC."""

    def initialize(self, use_cases: BookingUseCases) -> None:
        self.use_cases = use_cases

    async def get(self, booking_id: str) -> None:
        try:
            booking = await self.use_cases.get(check_booking_id(booking_id))
        except NotFound as error:
            raise HTTPError(404, reason=str(error)) from None
        except InvalidArgument as error:
            raise HTTPError(400, reason=str(error)) from None
        await self.finish(as_json(booking))


def as_json(booking: Booking) -> dict[str, str | int]:
    return {
        "id": str(booking.id),
        "user_id": booking.user_id,
        "event_id": booking.event_id,
        "ticket_count": booking.ticket_count,
        "status": booking.status,
        "created_at": booking.created_at.isoformat(),
        "updated_at": booking.updated_at.isoformat(),
        "reason": booking.reason,
    }


async def serve(grpc_port: int, rest_port: int) -> None:
    """Serves both until the process ends; the two handlers share one event loop, one repository, one machine."""
    use_cases = BookingUseCases(InMemoryBookings(), EveryEventHasTickets())
    rpc = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    booking_pb2_grpc.add_BookingServiceServicer_to_server(BookingHandler(use_cases), rpc)
    rpc.add_insecure_port(f"127.0.0.1:{grpc_port}")
    await rpc.start()
    routes = [(r"/v1/bookings/([^/]+)", BookingResource, {"use_cases": use_cases})]
    HTTPServer(Application(routes)).listen(rest_port, "127.0.0.1")
    await rpc.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
