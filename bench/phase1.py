"""Phase 1's contenders: a bare echo, the booking service, and pgbench with the booking service's SQL."""

import itertools
import uuid
from collections.abc import Sequence

import grpc
import psycopg
from booking_service.domain import Status, origins
from booking_service.postgres import BY_ID, CLAIM, MOVE
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub

from bench import echo as echo_server
from bench.contender import Contender, GrpcCalls
from bench.load import Call
from bench.pgbench import Pgbench, with_variables
from workbook.part import Part
from workbook.stack import LocalStack

USERS = 1000
EVENT = "benchmark"
TICKETS = 2
RATIOS = (("create", "echo"), ("get", "echo"), ("create", "pgbench create"), ("get", "pgbench get"))

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


async def echo(channel: grpc.aio.Channel) -> Call:
    method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(echo_server.METHOD)
    request = _create_request(0, uuid.uuid4().hex).SerializeToString()
    return lambda: method(request)


async def create(channel: grpc.aio.Channel) -> Call:
    """Each call is a new booking: a key of its own, one of many users."""
    stub, numbers, run = BookingServiceStub(channel), itertools.count(), uuid.uuid4().hex
    return lambda: stub.CreateBooking(_create_request(next(numbers), run))


async def get(channel: grpc.aio.Channel) -> Call:
    stub = BookingServiceStub(channel)
    made = await stub.CreateBooking(_create_request(0, uuid.uuid4().hex))
    request = pb.GetBookingRequest(booking_id=made.booking.id)
    return lambda: stub.GetBooking(request)


def contenders(stack: LocalStack, echo_part: Part, postgres: psycopg.Connection) -> Sequence[Contender]:
    service, database = stack["booking-service"], {"postgres": stack["postgres"].pid}
    both = {"service": service.pid, **database}
    return [
        GrpcCalls("echo", "bench.phase1:echo", echo_part.address, {"service": echo_part.pid}),
        GrpcCalls("get", "bench.phase1:get", service.address, both),
        GrpcCalls("create", "bench.phase1:create", service.address, both),
        Pgbench("pgbench get", _GET, postgres, {"id": _some_booking(postgres)}, database),
        Pgbench("pgbench create", CREATE_SCRIPT, postgres, CREATE_VARIABLES, database),
    ]


def _create_request(number: int, run: str) -> pb.CreateBookingRequest:
    return pb.CreateBookingRequest(
        user_id=str(number % USERS), event_id=EVENT, ticket_count=TICKETS, idempotency_key=f"{run}-{number}"
    )


def _some_booking(postgres: psycopg.Connection) -> str:
    booking_id = uuid.uuid4()
    postgres.execute(CLAIM, [booking_id, "reader", EVENT, TICKETS, None])
    return str(booking_id)
