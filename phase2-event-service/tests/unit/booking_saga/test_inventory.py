"""What the booking service makes of an event service that has too much to do."""

import uuid
from collections.abc import AsyncIterator

import grpc
import pytest
from booking_saga.inventory import EventServiceBusy, EventServiceInventory
from booking_service.domain import NewBooking, Status
from booking_service.memory import InMemoryBookings
from booking_service.service import BookingUseCases
from chassis.error_status import ErrorStatus
from chassis.errors import ResourceExhausted
from chassis.grouping import TooManyWaiting
from chassis.interceptor import Context
from event_service.proto import event_pb2 as pb
from event_service.proto import event_pb2_grpc

WISH = NewBooking("ada", str(uuid.UUID(int=7)), 2, "key")


class Rush(event_pb2_grpc.EventServiceServicer):
    """Sheds every call until the rush is over: by itself, or as gRPC does when too many calls run at once."""

    over = False
    by_grpc = False

    async def ReserveTickets(self, request: pb.ReserveTicketsRequest, context: Context) -> pb.ReserveTicketsResponse:  # noqa: ARG002, N802 - gRPC's names
        if self.over:
            return pb.ReserveTicketsResponse()
        if self.by_grpc:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!")
        raise TooManyWaiting("too many calls are waiting; try again later")


@pytest.fixture
def rush() -> Rush:
    return Rush()


@pytest.fixture
async def use_cases(rush: Rush) -> AsyncIterator[BookingUseCases]:
    server = grpc.aio.server(interceptors=[ErrorStatus("event.EventService")])
    event_pb2_grpc.add_EventServiceServicer_to_server(rush, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield BookingUseCases(InMemoryBookings(), EventServiceInventory(channel))
    await server.stop(None)


@pytest.mark.parametrize("by_grpc", [False, True])
async def test_a_rush_is_told_as_a_rush_and_promises_nothing(
    use_cases: BookingUseCases, rush: Rush, *, by_grpc: bool
) -> None:
    rush.by_grpc = by_grpc
    with pytest.raises(EventServiceBusy, match="try again later with the same key") as refusal:
        await use_cases.create(WISH)
    assert isinstance(refusal.value, ResourceExhausted)
    (booking,) = await use_cases.of_user("ada", 10)
    assert booking.status is Status.PENDING


async def test_trying_again_later_finishes_the_same_booking(use_cases: BookingUseCases, rush: Rush) -> None:
    with pytest.raises(EventServiceBusy):
        await use_cases.create(WISH)
    rush.over = True
    booking = await use_cases.create(WISH)
    assert [booking] == await use_cases.of_user("ada", 10)
    assert booking.status is Status.CONFIRMED
