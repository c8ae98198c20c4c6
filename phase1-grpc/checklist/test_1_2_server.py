"""1.2 gRPC server works."""

from contextlib import ExitStack
from typing import Any

import grpc
from checklist import contract
from checklist.bookings import Bookings, Code, Request
from grpc_health.v1 import health_pb2, health_pb2_grpc

from workbook.checks.verdict import expect, not_run

GARBAGE = b"\xff\xff\xff\xff these bytes are no message"
CLIENTS = 8
IN_FLIGHT = 30


def _wish(bookings: Bookings, user: str) -> Request:
    return {"user_id": user, "event_id": bookings.new_event(), "ticket_count": 1}


def _goes_on(bookings: Bookings, user: str, case: str) -> None:
    bookings.call("CreateBooking", case, **_wish(bookings, user)).ok()


def test_many_clients(bookings: Bookings, user: str) -> None:
    """It answers several clients at once, each over a connection of its own."""
    bookings.book(user)
    with ExitStack() as stack:
        clients = [stack.enter_context(bookings.elsewhere()) for _ in range(CLIENTS)]
        for number, client in enumerate(clients, 1):
            client.page(user, f"by client {number} of {CLIENTS}, all connected").ok()


def test_client_hangs_up(bookings: Bookings, user: str) -> None:
    """A client that hangs up in the middle of a call disturbs nobody."""
    bookings.hang_up("CreateBooking", [_wish(bookings, user) for _ in range(IN_FLIGHT)])
    _goes_on(bookings, user, f"after {IN_FLIGHT} callers hung up")


def test_garbage(bookings: Bookings, user: str) -> None:
    """Bytes that are no message are refused, and the server goes on."""
    call: Any = bookings.channel.unary_unary(f"/{contract.SERVICE}/CreateBooking")
    refusal = call.future(GARBAGE, timeout=bookings.system.patience)
    code = refusal.code()
    case = "CreateBooking with bytes that are no message"
    expect(code is not Code.OK, f"{case} answered OK", "answer INVALID_ARGUMENT; let the generated code read requests")
    if code is Code.UNAVAILABLE:
        bookings.still_there(case)
    _goes_on(bookings, user, "after bytes that are no message")


def test_health(bookings: Bookings) -> None:
    """Its health service says SERVING."""
    health = health_pb2_grpc.HealthStub(bookings.channel)
    try:
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=bookings.system.patience)
    except grpc.RpcError as error:
        refusal: Any = error
        if refusal.code() is Code.UNIMPLEMENTED:
            not_run("needs grpc.health.v1.Health, the standard way to ask a server whether it can work")
        status = refusal.code().name
    else:
        status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    expect(
        status == "SERVING",
        f"grpc.health.v1.Health/Check answered {status} while the server takes calls",
        "set SERVING once the database answers: who asks for health sends no calls before that",
    )
