"""How often a call to the event service is sent: again when it is away, a few times, and never in a flood."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from booking_saga.inventory import SERVICE_CONFIG, EventServiceAway, EventServiceInventory, SoldOut
from booking_service.domain import Booking, Status
from chassis.channel import open_channel
from chassis.errors import FailedPrecondition, ServiceError, Unavailable
from chassis.interceptor import Context
from chassis.server import GrpcServer
from chassis.settings import ServiceSettings
from event_service.proto import event_pb2 as pb
from event_service.proto import event_pb2_grpc

MAX_ATTEMPTS = 3
MAX_TOKENS = 10


class Sold(FailedPrecondition):
    reason = "SOLD_OUT"


class Failing(event_pb2_grpc.EventServiceServicer):
    """An event service that counts what arrives, and fails the first `failures` calls with `error`."""

    def __init__(self, error: ServiceError, failures: int) -> None:
        self.arrived: Counter[str] = Counter()
        self._error = error
        self._failures = failures

    async def ReserveTickets(  # noqa: N802 - gRPC names it
        self, request: pb.ReserveTicketsRequest, _: Context
    ) -> pb.ReserveTicketsResponse:
        self._note(request.booking_id)
        return pb.ReserveTicketsResponse()

    async def ReleaseTickets(  # noqa: N802 - gRPC names it
        self, request: pb.ReleaseTicketsRequest, _: Context
    ) -> pb.ReleaseTicketsResponse:
        self._note(request.booking_id)
        return pb.ReleaseTicketsResponse()

    def _note(self, booking_id: str) -> None:
        self.arrived[booking_id] += 1
        if self.arrived.total() <= self._failures:
            raise self._error


@asynccontextmanager
async def calling(events: Failing, config: str = SERVICE_CONFIG) -> AsyncIterator[EventServiceInventory]:
    """An inventory over a channel like the booking service's, to this event service."""
    server = GrpcServer(ServiceSettings(grpc_port=0), "event.EventService")
    event_pb2_grpc.add_EventServiceServicer_to_server(events, server.grpc)

    async def ready() -> None: ...

    async with (
        server.running(ready=ready),
        open_channel(f"127.0.0.1:{server.port}", deadline_limit=5, service_config=config) as channel,
    ):
        yield EventServiceInventory(channel)


def pending() -> Booking:
    now = datetime.now(UTC)
    return Booking(uuid.uuid4(), "ada", str(uuid.uuid4()), 1, Status.PENDING, "", None, now, now)


async def test_a_call_is_sent_again_until_it_gets_through() -> None:
    events = Failing(Unavailable("away"), failures=MAX_ATTEMPTS - 1)
    async with calling(events) as tickets:
        await tickets.reserve(booking := pending())
    assert events.arrived == {str(booking.id): MAX_ATTEMPTS}


async def test_a_call_is_not_sent_for_ever() -> None:
    events = Failing(Unavailable("away"), failures=99)
    async with calling(events) as tickets:
        with pytest.raises(EventServiceAway):
            await tickets.reserve(booking := pending())
    assert events.arrived == {str(booking.id): MAX_ATTEMPTS}


async def test_a_refusal_is_not_asked_for_again() -> None:
    events = Failing(Sold("sold out"), failures=99)
    async with calling(events) as tickets:
        with pytest.raises(SoldOut):
            await tickets.reserve(booking := pending())
    assert events.arrived == {str(booking.id): 1}


async def flood(config: str) -> int:
    """How many calls arrive at a service that is away, of fifty that people make."""
    events = Failing(Unavailable("away"), failures=10_000)
    async with calling(events, config) as tickets:
        for _ in range(50):
            with pytest.raises(EventServiceAway):
                await tickets.give_back(uuid.uuid4())
    return events.arrived.total()


async def test_when_most_calls_fail_none_is_sent_again() -> None:
    assert 50 <= await flood(SERVICE_CONFIG) <= 50 + MAX_TOKENS


async def test_without_throttling_a_service_in_trouble_gets_three_times_the_load() -> None:
    """The negative control, and what throttling is for."""
    config, _, throttling = SERVICE_CONFIG.partition(', "retryThrottling"')
    assert throttling
    assert await flood(config.replace("0.05s", "0.01s") + "}") == 50 * MAX_ATTEMPTS
