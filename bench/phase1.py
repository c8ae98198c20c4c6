"""Phase 1's contenders: a bare echo, the booking service, and pgbench with the booking service's SQL."""

import itertools
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
import psycopg
from booking_service.domain import Status, origins
from booking_service.postgres import BY_ID, CLAIM, MOVE
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub

from bench.contender import Calls, Contender
from bench.echo import METHOD
from bench.figures import Compared
from bench.load import Call, over_grpc
from bench.pgbench import Pgbench, with_variables
from workbook.part import Part, Program
from workbook.ports import free_port
from workbook.postgres import connect
from workbook.stack import LocalStack

USERS = 1000
EVENT = "benchmark"
TICKETS = 2
RATIOS = (
    Compared("create", "echo", aim=0.6),
    Compared("get", "echo"),
    Compared("create", "pgbench create"),
    Compared("get", "pgbench get"),
)

_NUMBERS = f"""\
\\set user random(1, {USERS})
\\set key random(1, 9223372036854775807)
"""
# pgbench makes no uuids, so the server makes the id that the service would bring.
_CLAIM = with_variables(CLAIM, "gen_random_uuid()", ":user", ":event", ":tickets", ":key") + " \\gset\n"
_CONFIRM = with_variables(MOVE, ":target", "''", ":id", ":origins") + ";\n"
CREATE_SCRIPT = _NUMBERS + _CLAIM + _CONFIRM
_GET = with_variables(BY_ID, ":id") + ";\n"
CREATE_VARIABLES = {
    "event": EVENT,
    "tickets": str(TICKETS),
    "target": Status.CONFIRMED.value,
    "origins": "{" + ",".join(origins(Status.CONFIRMED)) + "}",
}


@over_grpc
async def echo(channel: grpc.aio.Channel) -> Call:
    method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
    request = _create_request(0, uuid.uuid4().hex).SerializeToString()
    return lambda: method(request)


@over_grpc
async def create(channel: grpc.aio.Channel) -> Call:
    """Each call is a new booking: a key of its own, one of many users."""
    stub, numbers, run = BookingServiceStub(channel), itertools.count(), uuid.uuid4().hex
    return lambda: stub.CreateBooking(_create_request(next(numbers), run))


@over_grpc
async def get(channel: grpc.aio.Channel) -> Call:
    stub = BookingServiceStub(channel)
    made = await stub.CreateBooking(_create_request(0, uuid.uuid4().hex))
    request = pb.GetBookingRequest(booking_id=made.booking.id)
    return lambda: stub.GetBooking(request)


@contextmanager
def contenders(stack: LocalStack) -> Iterator[Sequence[Contender]]:
    service, database = stack["booking-service"], {"postgres": stack["postgres"].pid}
    both = {"service": service.pid, **database}
    booking_db = stack.settings_of("booking-service").db_name
    with echo_server(stack.folder) as echo, connect(stack["postgres"].address, booking_db) as postgres:
        yield [
            Calls("echo", "bench.phase1:echo", echo.address, {"service": echo.pid}),
            Calls("get", "bench.phase1:get", service.address, both),
            Calls("create", "bench.phase1:create", service.address, both),
            Pgbench("pgbench get", _GET, postgres, {"id": _some_booking(postgres)}, database),
            Pgbench("pgbench create", CREATE_SCRIPT, postgres, CREATE_VARIABLES, database),
        ]


@contextmanager
def echo_server(folder: Path) -> Iterator[Part]:
    port = free_port()
    address = f"127.0.0.1:{port}"
    program = Program([sys.executable, "-m", "bench.echo", str(port)], ready=lambda: _listens(address))
    part = Part("echo", address, program, folder / "echo.log")
    part.start()
    try:
        yield part
    finally:
        part.stop()


def _listens(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=1)
        except grpc.FutureTimeoutError:
            return False
    return True


def _create_request(number: int, run: str) -> pb.CreateBookingRequest:
    return pb.CreateBookingRequest(
        user_id=str(number % USERS), event_id=EVENT, ticket_count=TICKETS, idempotency_key=f"{run}-{number}"
    )


def _some_booking(postgres: psycopg.Connection) -> str:
    booking_id = uuid.uuid4()
    postgres.execute(CLAIM, [booking_id, "reader", EVENT, TICKETS, None])
    return str(booking_id)
