"""2.3 One command brings everything up, and back up."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from checklist.bookings import Bookings
from checklist.client import Code, fresh
from checklist.events import Events
from checklist.sales import is_sold, wish
from grpc_health.v1 import health_pb2, health_pb2_grpc

from workbook.checks.probe import open_channel
from workbook.checks.system import System
from workbook.checks.verdict import Wrong, expect, not_run

SERVICES = ("event-service", "booking-service")
BUYERS = 2
ENOUGH = 10  # bookings acknowledged before the kill
PLENTY = 10_000
KEEP_IT = "write it to the database and commit before you answer"


@pytest.mark.parametrize("service", SERVICES)
def test_health(system: System, service: str) -> None:
    """Its health service says SERVING."""
    with open_channel(system.address(service)) as channel:
        try:
            asked = health_pb2.HealthCheckRequest()
            answer = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=system.patience)
        except grpc.RpcError as error:
            refusal: Any = error
            if refusal.code() is Code.UNIMPLEMENTED:
                not_run("needs grpc.health.v1.Health, the standard way to ask a server whether it can work")
            status = refusal.code().name
        else:
            status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    told = f"grpc.health.v1.Health/Check of {service} answered {status} while it takes calls"
    expect(status == "SERVING", told, "set SERVING once the database answers: whoever starts it waits for that")


@dataclass(frozen=True, slots=True)
class Killed:
    """What was known before a service was killed under load, and what buyers were told around it."""

    service: str
    event: Any
    booking: Any
    sold: Mapping[str, Any]
    on_sale: str
    went_on: bool


@pytest.fixture(scope="module", params=SERVICES)
def killed(request: pytest.FixtureRequest, system: System, bookings: Bookings, events: Events) -> Killed:
    system.needs_restart()
    service = request.param
    event, on_sale = events.made(), events.made(capacity=PLENTY)
    booking = bookings.book(fresh("user"), event_id=event.id, ticket_count=3)
    before = events.get(event.id).ok().event
    sold, went_on = _under_load(system, bookings, service, on_sale.id)
    return Killed(service, before, booking, sold, on_sale.id, went_on)


def _under_load(system: System, bookings: Bookings, service: str, event_id: str) -> tuple[dict[str, Any], bool]:
    """Kills a service while buyers buy; returns what was sold, and whether buyers were served after it."""
    sold: dict[str, Any] = {}
    over = threading.Event()

    def buy() -> None:
        with bookings.elsewhere() as buyer:
            while not over.is_set():
                answer = buyer.attempt("CreateBooking", **wish(event_id, 1))
                if is_sold(answer):
                    sold[answer.message.booking.id] = answer.message.booking
                over.wait(0.02)

    with ThreadPoolExecutor(BUYERS) as pool:
        buyers = [pool.submit(buy) for _ in range(BUYERS)]
        try:
            if not _reaches(sold, ENOUGH, 4 * system.patience):
                raise Wrong(f"{BUYERS} buyers got {len(sold)} bookings in {4 * system.patience:g} s", "answer in time")
            system.restart(service)
            went_on = _reaches(sold, len(sold) + BUYERS + 1, 2 * system.patience)
        finally:
            over.set()
        for buyer in buyers:
            buyer.result()
    return sold, went_on


def _reaches(sold: Mapping[str, Any], enough: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while len(sold) < enough and time.monotonic() < deadline:
        time.sleep(0.01)
    return len(sold) >= enough


def test_goes_on(killed: Killed) -> None:
    """After a kill of one service, booking goes on by itself."""
    told = f"{killed.service} was killed and is back, and CreateBooking still fails"
    expect(killed.went_on, told, "connect again by yourself: no service may need a restart because another had one")


def test_knows_what_it_knew(bookings: Bookings, events: Events, killed: Killed) -> None:
    """After a kill, events, their tickets and bookings are what they were."""
    answer = events.get(killed.event.id, f"made before {killed.service} was killed")
    expect(answer.code is Code.OK, answer.told(), KEEP_IT)
    for field in ("name", "capacity", "available_tickets"):
        was, now = getattr(killed.event, field), getattr(answer.message.event, field)
        told = f"{field} of an event was {was!r} and is {now!r} after {killed.service} was killed"
        expect(was == now, told, KEEP_IT)
    found = bookings.get(killed.booking.id, f"made before {killed.service} was killed")
    expect(found.code is Code.OK, found.told(), KEEP_IT)
    now = found.message.booking.status
    told = f"a booking was {killed.booking.status} and is {now} after {killed.service} was killed"
    expect(killed.booking.status in {now, "PENDING"}, told, KEEP_IT)


def test_nothing_sold_is_lost(bookings: Bookings, events: Events, killed: Killed) -> None:
    """What buyers were sold around the kill is theirs, and its tickets are taken."""
    for booking_id in killed.sold:
        found = bookings.get(booking_id, f"acknowledged around the kill of {killed.service}")
        expect(found.code is Code.OK, found.told(), KEEP_IT)
        status = found.message.booking.status
        expect(status != "CANCELLED", f"{found.call} is CANCELLED", "what was acknowledged stays")
    taken = PLENTY - events.left(killed.on_sale)
    told = f"{len(killed.sold)} tickets were sold around the kill of {killed.service}, and only {taken} are taken"
    expect(taken >= len(killed.sold), told, KEEP_IT)
