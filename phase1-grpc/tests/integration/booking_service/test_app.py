"""The whole service: its plugs, and its life beside a database that is late, away, busy or paused."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import psycopg
import pytest
from booking_service.app import MIGRATIONS, SERVICE, booking_app
from booking_service.config import BookingSettings
from booking_service.domain import Booking, Change, Status
from booking_service.inventory import TicketsRefused
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from chassis.interceptor import Around, Call
from chassis.migrations import create_database, migrate
from chassis.plugs import Plugs
from chassis.postgres import Connection, Database
from chassis.server import GrpcServer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.pools import whole
from tests.refusals import refusal

from tests.waiting import until_async
from workbook.part import Part, State

if TYPE_CHECKING:
    from booking_service.proto.booking_pb2_grpc import BookingServiceAsyncStub

WISH = pb.CreateBookingRequest(user_id="ada", event_id="concert", ticket_count=2, idempotency_key="key")
AWAY = (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE", "")


@pytest.fixture
def settings(settings: BookingSettings) -> BookingSettings:
    """Two connections and short limits."""
    return settings.model_copy(update={"db_pool_size": 2, "db_statement_timeout": 0.3, "db_lock_timeout": 0.2})


@pytest.fixture
def breakable(postgres: Part) -> Iterator[Part]:
    yield postgres
    if postgres.state is State.PAUSED:
        postgres.resume()
    postgres.start()


@asynccontextmanager
async def calling(server: GrpcServer) -> AsyncIterator[tuple["BookingServiceAsyncStub", grpc.aio.Channel]]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield BookingServiceStub(channel), channel


@asynccontextmanager
async def with_a_whole_pool(settings: BookingSettings, **plugged: Any) -> AsyncIterator["BookingServiceAsyncStub"]:
    """A stub of the service, once it has its connections: a call waits no longer for one than for a lock."""
    async with booking_app(settings, **plugged) as app, calling(app.server) as (stub, _):
        await until_async(lambda: whole(app.database))
        yield stub


async def says(channel: grpc.aio.Channel, service: str, expected: str) -> bool:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    name: str = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    return name == expected


# Plugs


class Refusing:
    """An inventory with nothing in it."""

    async def reserve(self, _booking: Booking) -> None:
        raise TicketsRefused("sold out")

    async def release(self, _booking: Booking) -> None:
        pass


async def test_a_database_of_somebody_elses_is_used_and_interceptors_stand_where_they_should(
    settings: BookingSettings,
) -> None:
    seen: list[str] = []

    class Noting(Around):
        def __init__(self, name: str) -> None:
            self._name = name

        @asynccontextmanager
        async def around(self, call: Call) -> AsyncIterator[None]:
            try:
                yield
            except Exception as error:
                if "Health" not in call.method:
                    seen.append(f"{self._name} {type(error).__name__}")
                raise

    plugs = Plugs(Database(settings), outside=[Noting("outside")], inside=[Noting("inside")])
    async with booking_app(settings, plugs=plugs) as app, calling(app.server) as (stub, _):
        assert app.database is plugs.database
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.GetBooking(pb.GetBookingRequest(booking_id="none"))
    assert seen == ["inside InvalidArgument", "outside AbortError"]


async def test_refused_tickets_are_a_failed_precondition_and_a_cancelled_booking(
    settings: BookingSettings, sql: psycopg.Connection
) -> None:
    async with with_a_whole_pool(settings, inventory=Refusing()) as stub:
        refused = await refusal(stub.CreateBooking(WISH))
    assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "TICKETS_REFUSED", "")
    assert sql.execute("SELECT status, reason FROM bookings").fetchall() == [("CANCELLED", "TICKETS_REFUSED")]


async def test_what_cannot_be_also_written_undoes_the_booking(
    settings: BookingSettings, sql: psycopg.Connection
) -> None:
    async def fail(_connection: Connection, _changes: Sequence[Change]) -> None:
        raise LookupError

    async with with_a_whole_pool(settings, also_written={Status.PENDING: fail}) as stub:
        assert (await refusal(stub.CreateBooking(WISH))).code is grpc.StatusCode.INTERNAL
    assert sql.execute("SELECT FROM bookings").rowcount == 0


async def test_a_caller_who_hangs_up_in_the_middle_leaves_nothing(
    settings: BookingSettings, sql: psycopg.Connection
) -> None:
    written, undone = asyncio.Event(), asyncio.Event()

    async def park(_connection: Connection, _changes: Sequence[Change]) -> None:
        written.set()
        try:
            await asyncio.Event().wait()
        finally:
            undone.set()

    async with with_a_whole_pool(settings, also_written={Status.PENDING: park}) as stub:
        call = stub.CreateBooking(WISH)
        await written.wait()
        call.cancel()
        await undone.wait()
    assert sql.execute("SELECT FROM bookings").rowcount == 0


# The database


async def test_a_service_that_was_there_first_waits_for_its_database(not_there: BookingSettings) -> None:
    quick = not_there.model_copy(update={"db_lock_timeout": 0.2})
    async with booking_app(quick) as app, calling(app.server) as (stub, channel):
        assert await says(channel, SERVICE, "NOT_SERVING")
        assert await refusal(stub.CreateBooking(WISH)) == AWAY
        await asyncio.to_thread(create_database, not_there)
        assert await says(channel, SERVICE, "NOT_SERVING")
        await asyncio.to_thread(migrate, not_there, [MIGRATIONS])
        await until_async(lambda: says(channel, SERVICE, "SERVING"))
        assert (await stub.CreateBooking(WISH)).booking.status == "CONFIRMED"


@pytest.mark.parametrize(("break_it", "mend_it"), [("kill", "start"), ("pause", "resume")])
async def test_while_the_database_is_away_callers_hear_it_and_the_process_lives(
    settings: BookingSettings, breakable: Part, break_it: str, mend_it: str
) -> None:
    async with booking_app(settings) as app, calling(app.server) as (stub, channel):
        await until_async(lambda: says(channel, SERVICE, "SERVING"))
        await asyncio.to_thread(getattr(breakable, break_it))
        assert await refusal(stub.CreateBooking(WISH, timeout=30)) == AWAY
        await until_async(lambda: says(channel, SERVICE, "NOT_SERVING"))
        assert await says(channel, "", "SERVING")
        await asyncio.to_thread(getattr(breakable, mend_it))
        await until_async(lambda: says(channel, SERVICE, "SERVING"))
        assert (await stub.CreateBooking(WISH)).booking.status == "CONFIRMED"


async def test_more_callers_than_connections_are_refused_in_time_and_served_later(
    settings: BookingSettings, sql: psycopg.Connection
) -> None:
    async with with_a_whole_pool(settings) as stub:
        with sql.transaction():
            sql.execute("LOCK TABLE bookings")
            refused = await asyncio.gather(*(refusal(stub.CreateBooking(WISH, timeout=30)) for _ in range(20)))
        assert set(refused) == {AWAY}
        assert (await stub.CreateBooking(WISH)).booking.status == "CONFIRMED"
    assert sql.execute("SELECT FROM bookings").rowcount == 1
