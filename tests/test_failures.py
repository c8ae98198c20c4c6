"""What phase 1 promises whatever dies: no acknowledged booking is lost, and one key is one booking."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
import pytest
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub

from tests.waiting import until_async
from workbook.postgres import connect
from workbook.stack import LocalStack

if TYPE_CHECKING:
    from booking_service.proto.booking_pb2_grpc import BookingServiceAsyncStub

CUSTOMERS = 16
ENOUGH = 150  # acknowledged bookings before a failure, and again after it
# The last: while the database is away more callers may come to wait for it than there is room for.
EXPECTED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(1, environment={"LOG_LEVEL": "error"}) as stack:
        yield stack


@pytest.fixture(autouse=True)
def empty(stack: LocalStack) -> None:
    with connect(stack["postgres"].address, "booking_db") as connection:
        connection.execute("TRUNCATE bookings")


@dataclass
class Load:
    """What customers were told, and how often they were told nothing. `keys` is whether their retries carry one."""

    keys: bool = True
    acknowledged: dict[str, str] = field(default_factory=dict)
    problems: Counter[grpc.StatusCode] = field(default_factory=Counter)
    over: bool = False

    async def customer(self, stub: "BookingServiceAsyncStub", number: int) -> None:
        """Books one wish after the other, each until it is acknowledged; a wish's user is its own, and names it."""
        for turn in itertools.count():
            user = f"{'with' if self.keys else 'without'}-{number}-{turn}"
            wish = pb.CreateBookingRequest(user_id=user, event_id="concert", ticket_count=1)
            wish.idempotency_key = "key" if self.keys else ""
            while user not in self.acknowledged:
                if self.over:
                    return
                await self.book(stub, wish)

    async def book(self, stub: "BookingServiceAsyncStub", wish: pb.CreateBookingRequest) -> None:
        try:
            made = (await stub.CreateBooking(wish, timeout=30, wait_for_ready=True)).booking
        except grpc.aio.AioRpcError as error:
            self.problems[error.code()] += 1
        else:
            self.acknowledged[wish.user_id] = made.id

    async def goes_on(self) -> None:
        """Returns when enough more have been acknowledged."""
        goal = len(self.acknowledged) + ENOUGH
        await until_async(lambda: self._reached(goal))

    async def _reached(self, goal: int) -> bool:
        return len(self.acknowledged) >= goal


@asynccontextmanager
async def customers(stack: LocalStack, *loads: Load) -> AsyncIterator[None]:
    """Customers of each load who book all the time inside the block."""
    options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]
    async with (
        grpc.aio.insecure_channel(stack["booking-service"].address, options) as channel,
        asyncio.TaskGroup() as group,
    ):
        stub = BookingServiceStub(channel)
        for load, number in itertools.product(loads, range(CUSTOMERS)):
            group.create_task(load.customer(stub, number))
        try:
            yield
        finally:
            for load in loads:
                load.over = True


def stored(stack: LocalStack) -> dict[str, list[tuple[str, str]]]:
    """Id and status of all bookings, by user."""
    found: dict[str, list[tuple[str, str]]] = {}
    with connect(stack["postgres"].address, "booking_db") as connection:
        for user, booking_id, status in connection.execute("SELECT user_id, id, status FROM bookings"):
            found.setdefault(user, []).append((str(booking_id), status))
    return found


def lost(load: Load, bookings: dict[str, list[tuple[str, str]]]) -> set[str]:
    """Whose acknowledged booking is not there, or not confirmed."""
    told = load.acknowledged.items()
    return {user for user, booking_id in told if (booking_id, "CONFIRMED") not in bookings.get(user, [])}


def doubled(bookings: dict[str, list[tuple[str, str]]], kind: str) -> set[str]:
    return {user for user, of_user in bookings.items() if user.startswith(kind) and len(of_user) > 1}


async def test_with_nothing_broken_everything_is_acknowledged_and_kept(stack: LocalStack) -> None:
    load = Load()
    async with customers(stack, load):
        await load.goes_on()
    bookings = stored(stack)
    assert not load.problems
    assert lost(load, bookings) == set()
    assert doubled(bookings, "with") == set()


async def test_a_service_killed_at_work_loses_nothing_and_doubles_nothing(stack: LocalStack) -> None:
    """Customers whose retries have no key are the control: some of them hold two bookings for one wish."""
    load, control = Load(), Load(keys=False)
    async with customers(stack, load, control):
        for _ in range(2):
            await load.goes_on()
            await asyncio.to_thread(stack["booking-service"].kill)
            await asyncio.to_thread(stack["booking-service"].start)
        await load.goes_on()
    bookings = stored(stack)
    assert load.problems
    assert set(load.problems) <= EXPECTED
    assert lost(load, bookings) == set()
    assert doubled(bookings, "with-") == set()
    assert doubled(bookings, "without-") != set()


async def test_a_database_killed_at_work_loses_nothing_and_doubles_nothing(stack: LocalStack) -> None:
    load = Load()
    async with customers(stack, load):
        for _ in range(2):
            await load.goes_on()
            await asyncio.to_thread(stack["postgres"].kill)
            await asyncio.to_thread(stack["postgres"].start)
        await load.goes_on()
    bookings = stored(stack)
    assert load.problems
    assert set(load.problems) <= EXPECTED
    assert lost(load, bookings) == set()
    assert doubled(bookings, "with") == set()


@pytest.fixture
def careless(stack: LocalStack) -> Iterator[None]:
    """PostgreSQL says that it has committed before it has written."""
    postgres, service = stack["postgres"], stack["booking-service"]
    with connect(postgres.address) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_commit = off")
        connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
    postgres.restart()
    yield
    with connect(postgres.address) as connection:
        connection.execute("ALTER SYSTEM RESET ALL")
    postgres.restart()
    service.restart()


@pytest.mark.usefixtures("careless")
async def test_a_careless_database_killed_at_work_does_lose_bookings(stack: LocalStack) -> None:
    """The test above can fail."""
    load = Load()
    async with customers(stack, load):
        await load.goes_on()
        await asyncio.to_thread(stack["postgres"].kill)
        await asyncio.to_thread(stack["postgres"].start)
    assert lost(load, stored(stack)) != set()
