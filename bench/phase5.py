"""Phase 5's contenders: the same bookings over HTTP through the gateway, and over gRPC straight at the booking service.

Both go with a customer's token, which every service verifies. A share of the traces is kept, as in production, and a
collector that keeps nothing runs beside them.
"""

import itertools
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import grpc
from access.callers import USER_SERVICE, Role
from access.keys import own_keys
from access.signing import Signer
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub

from bench.contender import Calls, Contender, ContenderFailed
from bench.figures import Compared
from bench.http import connections, post
from bench.load import Call
from bench.phase2 import MANY, TICKETS
from bench.phase4 import SHARE, collecting
from bench.tables import event_settings, put_events
from workbook.postgres import connect
from workbook.stack import LocalStack

HTTP, GRPC = "bookings over HTTP", "bookings over gRPC"
RATIOS = (Compared(HTTP, GRPC, aim=0.6),)
CUSTOMERS = 50  # each service verifies a token once, then knows it for a while
_AN_HOUR = 3600
UNLIMITED = {"USER_RATE": "1000000/second", "ADDRESS_RATE": "1000000/second"}


class Customers:
    """Some customers with their tokens, who buy in turns: each time another event, with another key."""

    def __init__(self, keys: str) -> None:
        signer = Signer(USER_SERVICE, own_keys(Path(keys), USER_SERVICE)[0])
        ids = [str(uuid.uuid4()) for _ in range(CUSTOMERS)]
        self._all = itertools.cycle([(user, signer.token(user, [Role.CUSTOMER], _AN_HOUR)) for user in ids])
        self._numbers, self._run = itertools.count(), uuid.uuid4().hex

    def next(self) -> tuple[str, str, str, str]:
        """User, token, event, key."""
        number = next(self._numbers)
        return *next(self._all), str(uuid.UUID(int=1 + number % MANY)), f"{self._run}-{number}"


@asynccontextmanager
async def over_grpc(where: str) -> AsyncIterator[Call]:
    """`where` is the booking service's address, a blank, and the folder of the keys."""
    address, _, keys = where.partition(" ")
    customers = Customers(keys)
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        stub = BookingServiceStub(channel)

        async def book() -> None:
            user, token, event, key = customers.next()
            wish = pb.CreateBookingRequest(user_id=user, event_id=event, ticket_count=TICKETS, idempotency_key=key)
            answer = await stub.CreateBooking(wish, metadata=(("authorization", f"Bearer {token}"),))
            _check(answer.booking.status)

        yield book


@asynccontextmanager
async def over_http(where: str) -> AsyncIterator[Call]:
    """`where` is the gateway's address, a blank, and the folder of the keys."""
    address, _, keys = where.partition(" ")
    customers = Customers(keys)
    async with connections(address) as opened:

        async def book() -> None:
            _, token, event, key = customers.next()
            body = json.dumps({"event_id": event, "ticket_count": TICKETS}).encode()
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            answer = await opened.ask(post("/v1/bookings", headers, body), wanted=201)
            _check(json.loads(answer)["status"])

        yield book


@contextmanager
def contenders(stack: LocalStack) -> Iterator[Sequence[Contender]]:
    address = stack["postgres"].address
    with connect(address, event_settings(address).db_name) as events:
        put_events(events, MANY)
    parts = {"service": "booking-service", "events": "event-service", "gateway": "api-gateway"}
    servers = {**{part: stack[name].pid for part, name in parts.items()}, "postgres": stack["postgres"].pid}
    keys = stack.folder / "keys"
    yield [
        Calls(GRPC, "bench.phase5:over_grpc", f"{stack['booking-service'].address} {keys}", servers),
        Calls(HTTP, "bench.phase5:over_http", f"{stack['api-gateway'].address} {keys}", servers),
    ]


@contextmanager
def open_stack(phase: int, progress: Callable[[str], None]) -> Iterator[LocalStack]:
    with collecting(phase, progress, {"OTEL_TRACES_SAMPLER_ARG": SHARE, **UNLIMITED}) as stack:
        yield stack


def _check(status: str) -> None:
    if status != "CONFIRMED":
        raise ContenderFailed(f"a first try was answered with {status}")
