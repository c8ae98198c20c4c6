"""A booking service that is in the middle of something whenever it is told to stop; bookings are kept in memory.

`python -m workbook.props.busy PORT SLOWEST` serves it, with the chassis' own beginning and end.
"""

import asyncio
import itertools
import sys
from collections import defaultdict

from booking_service.domain import Booking
from booking_service.handler import BookingHandler
from booking_service.memory import InMemoryBookings
from booking_service.proto import booking_pb2, booking_pb2_grpc
from booking_service.service import BookingUseCases
from chassis.server import GrpcServer
from chassis.settings import ServiceSettings, read_settings

SERVICE = booking_pb2.DESCRIPTOR.services_by_name["BookingService"].full_name
HANGS = "hangs"  # the user whose booking never ends


class BusyTickets:
    """An inventory that takes its time: every other booking is the slowest there is."""

    def __init__(self, slowest: float) -> None:
        self._slowest, self._turns = slowest, itertools.count()
        self.under_way = self.cut_off = 0
        self.asked_by = defaultdict[str, asyncio.Event](asyncio.Event)  # set once a user has been here

    async def reserve(self, booking: Booking) -> None:
        self.asked_by[booking.user_id].set()
        self.under_way += 1
        try:
            if booking.user_id == HANGS:
                await asyncio.Event().wait()
            await asyncio.sleep(self._slowest if next(self._turns) % 2 else self._slowest / 50)
        except asyncio.CancelledError:  # it goes no further: gRPC would print a traceback for each
            self.cut_off += booking.user_id != HANGS
        finally:
            self.under_way -= 1

    async def release(self, booking: Booking) -> None:
        pass


def busy(tickets: BusyTickets) -> BookingHandler:
    return BookingHandler(BookingUseCases(InMemoryBookings(), tickets))


async def serve(port: int, slowest: float) -> None:
    """Until SIGTERM; STOP_GRACE is read from the environment, as every service does."""
    settings = read_settings(ServiceSettings).model_copy(update={"grpc_port": port})
    server = GrpcServer(settings, SERVICE)
    booking_pb2_grpc.add_BookingServiceServicer_to_server(busy(BusyTickets(slowest)), server.grpc)
    async with server.running(ready=_always):
        await server.until_stopped()


async def _always() -> None:
    """It needs nobody."""


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
