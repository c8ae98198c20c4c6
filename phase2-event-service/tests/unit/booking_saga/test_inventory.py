"""What the booking service makes of an event service that has too much to do, or fails."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from booking_saga.inventory import EventServiceAway, EventServiceBusy, EventServiceInventory
from booking_service.domain import NewBooking, Status
from booking_service.memory import InMemoryBookings
from booking_service.service import BookingUseCases
from chassis.error_status import ErrorStatus
from chassis.errors import ResourceExhausted
from chassis.grouping import TooManyWaiting
from chassis.interceptor import Context
from event_service.proto import event_pb2 as pb
from event_service.proto import event_pb2_grpc
from structlog.testing import capture_logs

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


class Failing(event_pb2_grpc.EventServiceServicer):
    """Answers every call with one status."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    async def ReserveTickets(self, request: pb.ReserveTicketsRequest, context: Context) -> pb.ReserveTicketsResponse:  # noqa: ARG002, N802 - gRPC's names
        await context.abort(self._code, "see the log of the event service")
        raise AssertionError

    async def ReleaseTickets(self, request: pb.ReleaseTicketsRequest, context: Context) -> pb.ReleaseTicketsResponse:  # noqa: ARG002, N802 - gRPC's names
        await context.abort(self._code, "see the log of the event service")
        raise AssertionError


@asynccontextmanager
async def asking(events: event_pb2_grpc.EventServiceServicer) -> AsyncIterator[BookingUseCases]:
    """The use cases of bookings, with these events behind their inventory."""
    server = grpc.aio.server(interceptors=[ErrorStatus("event.EventService")])
    event_pb2_grpc.add_EventServiceServicer_to_server(events, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield BookingUseCases(InMemoryBookings(), EventServiceInventory(channel))
    await server.stop(None)


@pytest.fixture
async def use_cases(rush: Rush) -> AsyncIterator[BookingUseCases]:
    async with asking(rush) as use_cases:
        yield use_cases


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


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "INTERNAL", "UNIMPLEMENTED"])
async def test_what_is_no_absence_is_in_the_log_with_its_reason(code: str) -> None:
    """It gets no better by itself: somebody has to read of it. The caller is told what it was told before."""
    async with asking(Failing(grpc.StatusCode[code])) as use_cases:
        with capture_logs() as logs, pytest.raises(EventServiceAway):
            await use_cases.create(WISH)
        (booking,) = await use_cases.of_user("ada", 10)
        with capture_logs() as released:
            await use_cases.cancel(booking.id)
    (line,) = logs
    told = (line["event"], line["code"], line["details"])
    assert told == ("event service failed", code, "see the log of the event service")
    assert [line["event"] for line in released] == ["event service failed", "release put off"]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED"])
async def test_an_absence_fills_no_log(code: str) -> None:
    async with asking(Failing(grpc.StatusCode[code])) as use_cases:
        with capture_logs() as logs, pytest.raises(EventServiceAway):
            await use_cases.create(WISH)
    assert logs == []
