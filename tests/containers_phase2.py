"""What holds for two services in containers, whatever later phases add: parts are killed and paused, the laws hold."""

import asyncio
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import psycopg
import pytest
from access.bearer import CarryToken
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from counting_laws import miscounted
from event_service.proto import event_pb2
from event_service.proto.event_pb2_grpc import EventServiceStub
from google.protobuf.timestamp_pb2 import Timestamp
from invariants import Broken, broken_laws

from tests.containers import KILLED, image, inspect, served, standing, token_of
from tests.waiting import until, until_async
from workbook.bearer import with_token
from workbook.call import told
from workbook.compose import ComposeStack, run

BOOKINGS, EVENTS, METRICS = "booking-service", "event-service", "metrics-consumer"
PENDING_LIMIT = "1"  # seconds, so that recovery need not be waited for
AWAY = "UNAVAILABLE: the event service does not answer"
CAPACITY = 100_000


class TwoServices:
    """Tests for the `stack` of the module that takes them over; it was started with this PENDING_LIMIT."""

    def test_the_images_are_the_same_layers(self, stack: ComposeStack) -> None:
        """One image more takes no more room."""
        layers = ["docker", "image", "inspect", "--format", "{{.RootFS.Layers}}"]
        assert len({run([*layers, image(name, stack.project)]) for name in served(stack)}) == 1

    def test_a_booking_goes_through_both(self, stack: ComposeStack) -> None:
        with calling(stack) as (bookings, events):
            event_id = an_event(events, capacity=5)
            made = bookings.CreateBooking(wish(event_id, 3)).booking
            assert (made.status, left(events, event_id)) == ("CONFIRMED", 2)
            assert "SOLD_OUT" in refusal(bookings, wish(event_id, 3))
            assert left(events, event_id) == 2
            assert bookings.CancelBooking(pb.CancelBookingRequest(booking_id=made.id)).success
            assert left(events, event_id) == 5
        until(lambda: not broken(stack))

    async def test_event_service_killed_while_booking_comes_back_elsewhere(self, stack: ComposeStack) -> None:
        before = ip(stack, EVENTS)
        acknowledged, refusals = await killed_while_booking(stack, EVENTS)
        assert inspect(stack, EVENTS)["State"]["ExitCode"] == KILLED
        assert all(AWAY in each and "EVENT_SERVICE_UNAVAILABLE" in each for each in refusals)
        with somebody_at_free_addresses(stack):
            stack.start(EVENTS)
        assert ip(stack, EVENTS) != before
        until(lambda: books(stack), patience=25)  # 29 s when gRPC asks DNS as seldom as it does by default
        until(lambda: '"event": "settled"' in stack.compose("logs", BOOKINGS))
        until(lambda: not broken(stack, acknowledged))

    async def test_everything_killed_while_booking(self, stack: ComposeStack) -> None:
        acknowledged, refusals = await killed_while_booking(stack, *standing(stack))
        assert all("UNAVAILABLE" in each for each in refusals)
        stack.start()
        until(lambda: not broken(stack, acknowledged))
        until(lambda: books(stack))

    def test_paused_event_service_holds_nobody_for_long(self, stack: ComposeStack) -> None:
        with calling(stack) as (bookings, events):
            event_id = an_event(events)
            stack.pause(EVENTS)
            try:
                # Within EVENT_DEADLINE: did the booking service wait for its caller's, this were DEADLINE_EXCEEDED.
                assert AWAY in refusal(bookings, wish(event_id), timeout=8)
            finally:
                stack.resume(EVENTS)
        until(lambda: books(stack))
        until(lambda: not broken(stack))

    def test_the_laws_see_a_broken_promise(self, stack: ComposeStack) -> None:
        """The negative control of the tests above: a ticket goes missing behind the services' back."""
        with calling(stack) as (_, events):
            event_id = an_event(events)
        until(lambda: not broken(stack))
        change = "UPDATE events SET available = available + %s WHERE id = %s"
        with psycopg.connect(**stack.settings_of(EVENTS).conninfo(), autocommit=True) as database:
            database.execute(change, [-1, event_id])
            assert [each.law for each in broken(stack)] == ["I1"]
            database.execute(change, [1, event_id])
        assert broken(stack) == []


@contextmanager
def calling(stack: ComposeStack) -> Iterator[tuple[BookingServiceStub, EventServiceStub]]:
    token = token_of(stack)
    with (
        with_token(grpc.insecure_channel(stack.address(BOOKINGS)), token) as bookings,
        with_token(grpc.insecure_channel(stack.address(EVENTS)), token) as events,
    ):
        yield BookingServiceStub(bookings), EventServiceStub(events)


def ip(stack: ComposeStack, service: str) -> str:
    (network,) = inspect(stack, service)["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


@contextmanager
def somebody_at_free_addresses(stack: ComposeStack) -> Iterator[None]:
    """A container on the stack's network, which takes the address that a dead one has left."""
    options = ("--detach", "--rm", "--network", f"{stack.project}_default", "--entrypoint", "sleep")
    container = run(["docker", "run", *options, image(EVENTS, stack.project), "300"])
    try:
        yield
    finally:
        run(["docker", "rm", "--force", container])


def an_event(events: EventServiceStub, capacity: int = CAPACITY) -> str:
    soon = Timestamp()
    soon.FromJsonString("2099-12-31T20:00:00Z")
    new = event_pb2.CreateEventRequest(name="Jazz", kind="concert", starts_at=soon, venue="Babylon", capacity=capacity)
    return str(events.CreateEvent(new).event.id)


def wish(event_id: str, count: int = 1) -> pb.CreateBookingRequest:
    return pb.CreateBookingRequest(
        user_id="ada", event_id=event_id, ticket_count=count, idempotency_key=str(uuid.uuid4())
    )


def left(events: EventServiceStub, event_id: str) -> int:
    return int(events.GetEvent(event_pb2.GetEventRequest(event_id=event_id)).event.available_tickets)


def refusal(bookings: BookingServiceStub, request: pb.CreateBookingRequest, timeout: float | None = None) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        bookings.CreateBooking(request, timeout=timeout)
    return told(refused.value)


def books(stack: ComposeStack) -> bool:
    """Whether a booking is confirmed now, through both services."""
    with calling(stack) as (bookings, events):
        try:
            return bool(bookings.CreateBooking(wish(an_event(events))).booking.status == "CONFIRMED")
        except grpc.RpcError:
            return False


def broken(stack: ComposeStack, acknowledged: Collection[uuid.UUID] = ()) -> list[Broken]:
    """What is broken once nothing is left PENDING nor uncounted; asked over PostgreSQL's published port."""
    bookings, events = stack.settings_of(BOOKINGS), stack.settings_of(EVENTS)
    found = broken_laws(bookings, events, acknowledged=acknowledged, pending_limit=0)
    return found + (miscounted(bookings, stack.settings_of(METRICS)) if METRICS in served(stack) else [])


async def killed_while_booking(stack: ComposeStack, *victims: str) -> tuple[list[uuid.UUID], list[str]]:
    """SIGKILL amid bookings of eight callers: the bookings that were confirmed, and each caller's refusal.

    UNAVAILABLE counts from the kill on: before it, a busy machine may be slow, and the callers go on.
    """
    acknowledged: list[uuid.UUID] = []
    killed = asyncio.Event()
    with calling(stack) as (_, events):
        event_id = an_event(events)
    carried = [CarryToken(token)] if (token := token_of(stack)) else []
    async with grpc.aio.insecure_channel(stack.address(BOOKINGS), interceptors=carried) as channel:
        callers = [asyncio.create_task(book_until_refused(channel, event_id, acknowledged, killed)) for _ in range(8)]

        async def enough() -> bool:
            return len(acknowledged) >= 100 or all(caller.done() for caller in callers)

        await until_async(enough)
        killed.set()
        await asyncio.to_thread(stack.kill, *victims)
        return acknowledged, await asyncio.gather(*callers)


async def book_until_refused(
    channel: grpc.aio.Channel, event_id: str, acknowledged: list[uuid.UUID], killed: asyncio.Event
) -> str:
    bookings: Any = BookingServiceStub(channel)
    while True:
        try:
            acknowledged.append(uuid.UUID((await bookings.CreateBooking(wish(event_id))).booking.id))
        except grpc.aio.AioRpcError as refused:
            if killed.is_set() or refused.code() is not grpc.StatusCode.UNAVAILABLE:
                return told(refused)
