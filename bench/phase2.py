"""Phase 2's contenders: bookings through both services, the event service's repository alone, pgbench with their SQL.

"in process" means without gRPC: the load generator calls the event service's repository itself.
"""

import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import grpc
import psycopg
from booking_saga.app import MIGRATIONS as BOOKINGS
from booking_service.domain import Status, origins
from booking_service.postgres import CLAIM, MOVE
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from chassis.migrations import create_database, migrate
from chassis.postgres import Database
from event_service.app import MIGRATIONS as EVENTS
from event_service.domain import SoldOut, Wish
from event_service.postgres import PostgresEvents
from event_service.reservations import RESERVE

from bench.contender import AtOnce, Calls, Contender, ContenderFailed
from bench.figures import Compared
from bench.load import Call, Load, over_grpc
from bench.pgbench import Pgbench, with_named_variables, with_variables
from bench.sale import sales
from bench.tables import event_settings, put_events
from workbook.postgres import connect
from workbook.stack import LocalStack

__all__ = ["RATIOS", "contenders", "sales"]

USERS, MANY, TICKETS = 1000, 1000, 2
HOT, GONE = 1, MANY + 1  # numbers of events: the one that everyone wants, and one that is sold out
CONNECTIONS = 16
RATIOS = (
    Compared("bookings", "pgbench bookings", aim=0.35),
    Compared("hot event", "bookings", aim=0.9),
    Compared("hot event, 64", "hot event, 8", aim=1),
    Compared("reserve in process", "pgbench reserve", aim=3),
    Compared("sold out in process", "reserve in process", aim=5),
    Compared("sold out in process", "pgbench reserve"),
)

_NUMBERS = f"""\
\\set user random(1, {USERS})
\\set key random(1, 9223372036854775807)
\\set high random(1, 9223372036854775807)
\\set low random(1, 9223372036854775807)
"""
_SOME_EVENT = f"\\set event random(1, {MANY})\n"
# pgbench makes no uuids, so they are made of numbers.
_BOOKING = "(lpad(to_hex(:high::bigint), 16, '0') || lpad(to_hex(:low::bigint), 16, '0'))::uuid"
_EVENT = "lpad(to_hex(:event::bigint), 32, '0')::uuid"
_CLAIM = with_variables(CLAIM, _BOOKING, ":user", ":event", str(TICKETS), ":key") + ";\n"
_RESERVE = with_named_variables(RESERVE, count=str(TICKETS), event=_EVENT, booking=_BOOKING) + ";\n"
_CONFIRM = with_variables(MOVE, "'CONFIRMED'", "''", _BOOKING, f"'{{{','.join(origins(Status.CONFIRMED))}}}'") + ";\n"
BOOKING_SCRIPT = _NUMBERS + _SOME_EVENT + _CLAIM + _RESERVE + _CONFIRM  # three statements, three commits
RESERVE_SCRIPT = f"{_NUMBERS}\\set event {HOT}\n{_RESERVE}"


def _bookings(event: Callable[[int], int]) -> Load:
    """Each call is a new booking for the event that `event` names for its number; one that is refused ends the run."""

    @over_grpc
    async def load(channel: grpc.aio.Channel) -> Call:
        stub, numbers, run = BookingServiceStub(channel), itertools.count(), uuid.uuid4().hex

        async def book() -> None:
            number = next(numbers)
            answer = await stub.CreateBooking(
                pb.CreateBookingRequest(
                    user_id=str(number % USERS),
                    event_id=str(uuid.UUID(int=event(number))),
                    ticket_count=TICKETS,
                    idempotency_key=f"{run}-{number}",
                )
            )
            if answer.booking.status != "CONFIRMED":
                raise ContenderFailed(f"a first try was answered with {answer.booking.status}")

        return book

    return load


many = _bookings(lambda number: 1 + number % MANY)
hot = _bookings(lambda _: HOT)


@asynccontextmanager
async def reserve(address: str) -> AsyncIterator[Call]:
    """Tickets of the hot event, in process: no gRPC."""
    async with Database(event_settings(address)) as database:
        events = PostgresEvents(database)
        yield lambda: events.reserve(Wish(uuid.uuid4(), uuid.UUID(int=HOT), TICKETS))


@asynccontextmanager
async def sold_out(address: str) -> AsyncIterator[Call]:
    """Wishes for an event without tickets, in process."""
    async with Database(event_settings(address)) as database:
        events = PostgresEvents(database)

        async def refused() -> None:
            try:
                await events.reserve(Wish(uuid.uuid4(), uuid.UUID(int=GONE), TICKETS))
            except SoldOut:
                return
            raise ContenderFailed("a sold-out event sold tickets")

        yield refused


@contextmanager
def contenders(stack: LocalStack) -> Iterator[Sequence[Contender]]:
    address, service = stack["postgres"].address, stack["booking-service"].address
    database = {"postgres": stack["postgres"].pid}
    all_parts = {"service": stack["booking-service"].pid, "events": stack["event-service"].pid, **database}
    with connect(address, event_settings(address).db_name) as events, _both_in_one(stack) as postgres:
        for tables in (events, postgres):
            put_events(tables, MANY)
        put_events(events, GONE, first=GONE, available=0)
        at_once = Calls("", "bench.phase2:hot", service, all_parts)
        yield [
            Calls("bookings", "bench.phase2:many", service, all_parts),
            Pgbench("pgbench bookings", BOOKING_SCRIPT, postgres, servers=database),
            Calls("hot event", "bench.phase2:hot", service, all_parts),
            AtOnce("hot event, 8", at_once, 8),
            AtOnce("hot event, 64", at_once, 64),
            AtOnce("reserve in process", Calls("", "bench.phase2:reserve", address, database), CONNECTIONS),
            AtOnce("sold out in process", Calls("", "bench.phase2:sold_out", address, database), CONNECTIONS),
            AtOnce("pgbench reserve", Pgbench("", RESERVE_SCRIPT, postgres, servers=database), CONNECTIONS),
        ]


@contextmanager
def _both_in_one(stack: LocalStack) -> Iterator[psycopg.Connection]:
    """The tables of both services in one database: pgbench cannot talk to two."""
    settings = stack.settings_of("booking-service").model_copy(update={"db_name": "bench_db"})
    create_database(settings)
    migrate(settings, [*BOOKINGS, EVENTS])
    with connect(stack["postgres"].address, settings.db_name) as connection:
        yield connection
