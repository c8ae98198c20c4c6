"""Phase 1 in containers, for real: the image is built, the compose stack runs, calls are made, parts are killed."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub

from tests.waiting import until
from workbook.compose import ComposeStack, run
from workbook.lock import pins
from workbook.needs import needs
from workbook.part import PartFailed
from workbook.phases import ROOT

pytestmark = pytest.mark.timeout(600)  # the first build downloads packages

SERVICE, POSTGRES = "booking-service", "postgres"
ALIVE = ("python", "-m", "chassis.probe")
READY = (*ALIVE, "127.0.0.1:50051", "booking.BookingService")
ADDED_BYTES = 100_000_000  # what the image may add to its base; measured: 80 MB, SQLAlchemy 29 and gRPC 19 of them
KILLED = 137


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    needs("docker", "phase1-images")
    name = f"ticket-workbook-test-{os.getpid()}"
    try:
        with ComposeStack(1, name, {"TAG": name, "POSTGRES_PASSWORD": "not-the-default"}) as running:
            yield running
    finally:
        run(["docker", "image", "rm", "--force", image(name)])


def test_real_calls_through_the_stack(stack: ComposeStack) -> None:
    with calling(stack) as bookings:
        made = book(bookings, "ada")
        assert made.status == "CONFIRMED"
        assert bookings.GetBooking(pb.GetBookingRequest(booking_id=made.id)).booking == made
        assert list(bookings.ListUserBookings(pb.ListUserBookingsRequest(user_id="ada")).bookings) == [made]
        assert bookings.CancelBooking(pb.CancelBookingRequest(booking_id=made.id)).success
        assert bookings.GetBooking(pb.GetBookingRequest(booking_id=made.id)).booking.status == "CANCELLED"


def test_the_checklist_passes_against_it(stack: ComposeStack) -> None:
    board = run([sys.executable, "-m", "workbook", "check", "1", "--target", "compose"], stack.environment)
    assert "✗" not in board
    assert "✓" in board


def test_python_is_the_first_process_and_has_no_rights(stack: ComposeStack) -> None:
    assert stack.inside(SERVICE, "cat", "/proc/1/cmdline").split("\0")[:3] == ["python", "-m", "phase1"]
    status = dict(line.split(":\t", 1) for line in stack.inside(SERVICE, "cat", "/proc/1/status").splitlines())
    assert status["Uid"].split() == ["10001"] * 4
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapBnd"], 16) == 0


def test_files_cannot_be_changed_but_in_tmp(stack: ComposeStack) -> None:
    stack.inside(SERVICE, "touch", "/tmp/fine")
    with pytest.raises(PartFailed, match="Read-only file system"):
        stack.inside(SERVICE, "touch", "/app/changed")


def test_ports_are_open_on_this_machine_only(stack: ComposeStack) -> None:
    for service in (SERVICE, POSTGRES):
        ports = inspect(stack, service)["NetworkSettings"]["Ports"].values()
        assert [place["HostIp"] for places in ports for place in places] == ["127.0.0.1"]


def test_memory_is_limited_and_was_enough(stack: ComposeStack) -> None:
    for service in (SERVICE, POSTGRES, "booking-migrate"):
        assert 0 < inspect(stack, service)["HostConfig"]["Memory"] <= 512 << 20
        assert not inspect(stack, service)["State"]["OOMKilled"]


def test_postgres_keeps_what_it_acknowledged(stack: ComposeStack) -> None:
    question = ("psql", "--username=postgres", "--tuples-only", "--no-align", "--command")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert stack.inside(POSTGRES, *question, f"SHOW {setting}") == "on"


def test_the_image_holds_what_its_lock_says_and_no_more(stack: ComposeStack) -> None:
    listing = "from importlib.metadata import distributions as d; print(*(f'{x.name}=={x.version}' for x in d()))"
    installed = {line.lower().replace("_", "-") for line in stack.inside(SERVICE, "python", "-c", listing).split()}
    locked = {f"{name}=={pin}" for name, pin in pins(ROOT / "phase1-grpc" / "requirements.lock").items()}
    assert installed <= locked
    assert {"grpcio", "psycopg-binary", "alembic"} <= {line.split("==")[0] for line in installed}
    folders = stack.inside(SERVICE, "ls", "/app/phase1-grpc").split()
    assert sorted(folders) == ["booking_service", "chassis", "phase1", "requirements.lock"]
    assert stack.inside(SERVICE, "ls", "/app/phase1-grpc/chassis/__pycache__")


def test_the_image_is_small(stack: ComposeStack) -> None:
    sizes = stack.inside(SERVICE, "du", "--summarize", "--bytes", "/opt/venv", "/app").splitlines()
    assert sum(int(line.split()[0]) for line in sizes) < ADDED_BYTES


def test_without_its_database_it_is_alive_but_not_ready(stack: ComposeStack) -> None:
    stack.inside(SERVICE, *READY)
    stack.compose("stop", POSTGRES)
    try:
        until(lambda: not answers(stack, *READY))
        stack.inside(SERVICE, *ALIVE)
    finally:
        stack.start(POSTGRES)
    until(lambda: answers(stack, *READY))


async def test_killed_under_load_it_loses_no_acknowledged_booking(stack: ComposeStack) -> None:
    acknowledged: list[str] = []
    async with grpc.aio.insecure_channel(stack.address(SERVICE, 50051)) as channel:
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


def test_told_to_stop_it_ends_by_itself(stack: ComposeStack) -> None:
    stack.compose("stop", SERVICE)
    try:
        assert inspect(stack, SERVICE)["State"]["ExitCode"] == 0
        assert '"event": "stopped"' in stack.compose("logs", SERVICE)
    finally:
        stack.start()


def test_behind_a_shell_it_would_have_been_killed(stack: ComposeStack) -> None:
    """The negative control of the test above: a shell as first process does not pass the signal on."""
    name = f"{stack.project}-shell"
    command = ["-c", "python -m phase1 serve booking-service; true"]
    run(["docker", "run", "--detach", "--name", name, "--entrypoint", "sh", image(stack.project), *command])
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
    with grpc.insecure_channel(stack.address(SERVICE, 50051)) as channel:
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


def image(tag: str) -> str:
    return f"ticket-workbook/booking-service:{tag}"


def inspect(stack: ComposeStack, service: str) -> Any:
    return json.loads(run(["docker", "inspect", stack.container(service)]))[0]


def answers(stack: ComposeStack, *command: str) -> bool:
    try:
        stack.inside(SERVICE, *command)
    except PartFailed:
        return False
    return True
