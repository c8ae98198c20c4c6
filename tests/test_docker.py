"""Phase 1 in containers, for real: the image is built, the compose stack runs, calls are made, parts are killed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub

from tests.containers import KILLED, POSTGRES, EveryStack, answers, image, inspect, stack_of
from tests.waiting import until
from workbook.compose import ComposeStack, run

pytestmark = pytest.mark.timeout(600)  # the first build downloads packages

SERVICE = "booking-service"
ALIVE = ("python", "-m", "chassis.probe")
READY = (*ALIVE, "127.0.0.1:50051", "booking.BookingService")


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with stack_of(1) as running:
        yield running


class TestContainers(EveryStack):
    """What holds for every phase, for this one."""


def test_real_calls_through_the_stack(stack: ComposeStack) -> None:
    with calling(stack) as bookings:
        made = book(bookings, "ada")
        assert made.status == "CONFIRMED"
        assert bookings.GetBooking(pb.GetBookingRequest(booking_id=made.id)).booking == made
        assert list(bookings.ListUserBookings(pb.ListUserBookingsRequest(user_id="ada")).bookings) == [made]
        assert bookings.CancelBooking(pb.CancelBookingRequest(booking_id=made.id)).success
        assert bookings.GetBooking(pb.GetBookingRequest(booking_id=made.id)).booking.status == "CANCELLED"


def test_postgres_keeps_what_it_acknowledged(stack: ComposeStack) -> None:
    question = ("psql", "--username=postgres", "--tuples-only", "--no-align", "--command")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert stack.inside(POSTGRES, *question, f"SHOW {setting}") == "on"


def test_without_its_database_it_is_alive_but_not_ready(stack: ComposeStack) -> None:
    stack.inside(SERVICE, *READY)
    stack.compose("stop", POSTGRES)
    try:
        until(lambda: not answers(stack, SERVICE, *READY))
        stack.inside(SERVICE, *ALIVE)
    finally:
        stack.start(POSTGRES)
    until(lambda: answers(stack, SERVICE, *READY))


async def test_killed_under_load_it_loses_no_acknowledged_booking(stack: ComposeStack) -> None:
    acknowledged: list[str] = []
    async with grpc.aio.insecure_channel(stack.address(SERVICE)) as channel:
        writers = [asyncio.create_task(book_until_it_breaks(channel, acknowledged)) for _ in range(8)]
        while len(acknowledged) < 100:  # noqa: ASYNC110 - a plain list is all the writers share
            await asyncio.sleep(0.01)
        await asyncio.to_thread(stack.kill, POSTGRES, SERVICE)
        assert set(await asyncio.gather(*writers)) == {grpc.StatusCode.UNAVAILABLE}
    assert [inspect(stack, name)["State"]["ExitCode"] for name in (POSTGRES, SERVICE)] == [KILLED, KILLED]
    stack.start()
    with calling(stack) as bookings:
        kept = {bookings.GetBooking(pb.GetBookingRequest(booking_id=each)).booking.id for each in acknowledged}
    assert kept == set(acknowledged)


def test_behind_a_shell_it_would_have_been_killed(stack: ComposeStack) -> None:
    """The negative control of ending by itself: a shell as first process does not pass the signal on."""
    name = f"{stack.project}-shell"
    command = ["-c", "python -m phase1 serve booking-service; true"]
    run(["docker", "run", "--detach", "--name", name, "--entrypoint", "sh", image(SERVICE, stack.project), *command])
    try:
        until(lambda: "listening" in run(["docker", "logs", name]))
        run(["docker", "stop", "-t", "1", name])
        assert run(["docker", "inspect", "--format", "{{.State.ExitCode}}", name]) == str(KILLED)
    finally:
        run(["docker", "rm", "--force", name])


def test_down_leaves_nothing(stack: ComposeStack) -> None:
    label = f"label=com.docker.compose.project={stack.project}"
    lists = [["container", "ls", "--all"], ["volume", "ls"], ["network", "ls"]]
    left = [["docker", *words, "--quiet", "--filter", label] for words in lists]
    assert all(run(words) for words in left)
    stack.remove()
    assert not any(run(words) for words in left)


@contextmanager
def calling(stack: ComposeStack) -> Iterator[BookingServiceStub]:
    with grpc.insecure_channel(stack.address(SERVICE)) as channel:
        yield BookingServiceStub(channel)


def book(bookings: BookingServiceStub, user: str) -> pb.Booking:
    return bookings.CreateBooking(pb.CreateBookingRequest(user_id=user, event_id="e", ticket_count=1)).booking


async def book_until_it_breaks(channel: grpc.aio.Channel, acknowledged: list[str]) -> grpc.StatusCode:
    bookings = BookingServiceStub(channel)
    wish = pb.CreateBookingRequest(user_id="grace", event_id="e", ticket_count=1)
    try:
        while True:
            acknowledged.append((await bookings.CreateBooking(wish)).booking.id)
    except grpc.aio.AioRpcError as error:
        return error.code()
