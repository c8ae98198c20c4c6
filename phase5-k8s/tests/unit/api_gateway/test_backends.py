"""The gateway's channels: a pod that says it goes gets no more calls, while it would still answer them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from api_gateway.backends import BOOKING, open_backends
from api_gateway.config import GatewaySettings
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc
from chassis.channel import open_channel
from chassis.probe import health
from chassis.server import GrpcServer
from chassis.settings import ServiceSettings

from tests.waiting import until_async

if TYPE_CHECKING:
    from booking_service.proto.booking_pb2_grpc import BookingServiceAsyncStub

ROUND = 10  # calls, enough for every pod to have its turn


class Pod(booking_pb2_grpc.BookingServiceServicer):
    """Counts its calls. `goes` is what it says of itself; it answers whatever it says."""

    def __init__(self) -> None:
        self.calls, self.goes = 0, False
        self.server = GrpcServer(ServiceSettings(grpc_port=0), BOOKING.full_name)
        booking_pb2_grpc.add_BookingServiceServicer_to_server(self, self.server.grpc)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    async def GetBooking(self, _: pb.GetBookingRequest, _context: Any) -> pb.GetBookingResponse:  # noqa: N802 - gRPC's name
        self.calls += 1
        return pb.GetBookingResponse()

    async def ready(self) -> None:
        if self.goes:
            raise RuntimeError("it goes")

    async def says(self, status: str) -> bool:
        return await asyncio.to_thread(health, self.address, BOOKING.full_name) == status


@pytest.fixture
async def pods() -> AsyncIterator[list[Pod]]:
    found = [Pod(), Pod()]
    async with AsyncExitStack() as stack:
        for pod in found:
            await stack.enter_async_context(pod.server.running(pod.ready))
        yield found


@asynccontextmanager
async def through_the_gateway(target: str) -> AsyncIterator["BookingServiceAsyncStub"]:
    async with open_backends(GatewaySettings(booking_address=target)) as backends:
        yield backends.bookings


@asynccontextmanager
async def without_asking(target: str) -> AsyncIterator["BookingServiceAsyncStub"]:
    async with open_channel(target, deadline_limit=10) as channel:
        yield booking_pb2_grpc.BookingServiceStub(channel)


async def calls_of(pod: Pod, bookings: "BookingServiceAsyncStub") -> int:
    """How many of a round's calls it gets."""
    before = pod.calls
    for _ in range(ROUND):
        await bookings.GetBooking(pb.GetBookingRequest())
    return pod.calls - before


async def test_a_pod_that_says_it_goes_gets_no_more_calls(pods: list[Pod]) -> None:
    async with called(pods, through_the_gateway) as (going, bookings):
        await until_async(lambda: _none(going, bookings))
        assert await calls_of(going, bookings) == 0


async def test_who_does_not_ask_calls_it_all_the_same(pods: list[Pod]) -> None:
    async with called(pods, without_asking) as (going, bookings):
        assert await calls_of(going, bookings) > 0


@asynccontextmanager
async def called(pods: list[Pod], through: Callable[..., Any]) -> AsyncIterator[tuple[Pod, "BookingServiceAsyncStub"]]:
    """Both have had calls; now one of them says NOT_SERVING."""
    going = pods[0]
    await until_async(lambda: going.says("SERVING"))
    async with through(f"ipv4:{','.join(pod.address for pod in pods)}") as bookings:
        await until_async(lambda: _some(going, bookings))
        going.goes = True
        await until_async(lambda: going.says("NOT_SERVING"))
        yield going, bookings


async def _some(pod: Pod, bookings: "BookingServiceAsyncStub") -> bool:
    return await calls_of(pod, bookings) > 0


async def _none(pod: Pod, bookings: "BookingServiceAsyncStub") -> bool:
    return await calls_of(pod, bookings) == 0
