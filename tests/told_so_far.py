"""A customer whose traces are known, and what a running system has told of it so far."""

import secrets
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import grpc
import pytest
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from event_service.proto.event_pb2_grpc import EventServiceStub

from tests.containers_phase2 import an_event
from tests.signals import TABLE, Table, Told, families, problems, value
from tests.systems import Watched
from tests.waiting import until

BOOKING, EVENT = "booking-service", "event-service"
QUICK = {"FIGURES_EVERY": "0.05", "OTEL_BSP_SCHEDULE_DELAY": "50", "LOG_FORMAT": "json"}
"""What a system under this test is told, so that nobody waits long for what it says."""
PUT_OFF = "booking-service does not log 'release put off' with ['service', 'booking_id', 'trace_id', 'span_id']"


class Customer:
    """Asks as a caller who traces, so that the trace of each request is known."""

    def __init__(self, bookings: grpc.Channel) -> None:
        self._bookings = BookingServiceStub(bookings)
        self.trace_id = ""

    def books(self, event_id: str) -> str:
        """The id of a booking of two tickets; raises grpc.RpcError when it is refused."""
        wish = pb.CreateBookingRequest(
            user_id="ada", event_id=event_id, ticket_count=2, idempotency_key=uuid.uuid4().hex
        )
        answer = self._bookings.CreateBooking(wish, timeout=20, wait_for_ready=True, metadata=self._trace())
        return str(answer.booking.id)

    def cancels(self, booking_id: str) -> None:
        request = pb.CancelBookingRequest(booking_id=booking_id)
        self._bookings.CancelBooking(request, timeout=20, wait_for_ready=True, metadata=self._trace())

    def _trace(self) -> list[tuple[str, str]]:
        self.trace_id = secrets.token_hex(16)
        return [("traceparent", f"00-{self.trace_id}-{secrets.token_hex(8)}-01")]


def everything_told(system: Watched) -> Told:
    """What is told of a booking, a sold-out one, a cancelled one, and one cancelled while nobody takes it back."""
    before, traces = grows(system), {}
    with customer(system) as ada, system.channel(EVENT) as events:
        event_id = an_event(EventServiceStub(events), capacity=5)
        kept = ada.books(event_id)
        traces["confirmed"] = ada.trace_id
        regretted = ada.books(event_id)
        with pytest.raises(grpc.RpcError):
            ada.books(event_id)
        traces["sold-out"] = ada.trace_id
        ada.cancels(regretted)
        traces["cancelled"] = ada.trace_id
        with suppress(AssertionError):  # what is missing then is the test's to say
            until(lambda: problems(look(system, traces, before)) == [PUT_OFF])
        found = look(system, traces, before)
        system.kill(EVENT)
        ada.cancels(kept)

    def put_off() -> bool:  # Docker's log may be a moment behind the answer
        found.lines[BOOKING] = system.lines(BOOKING)
        told = [line for line in found.lines[BOOKING] if line["event"] == "release put off"]
        return ada.trace_id in {line.get("trace_id") for line in told}

    until(put_off)
    system.start(EVENT)
    return found


@contextmanager
def customer(system: Watched) -> Iterator[Customer]:
    with system.channel(BOOKING) as channel:
        yield Customer(channel)


def exposed(system: Watched, service: str) -> str:
    with urllib.request.urlopen(f"http://{system.metrics_address(service)}/metrics", timeout=20) as answer:
        return str(answer.read().decode())


def grows(system: Watched, table: Table = TABLE) -> dict[str, dict[str, float]]:
    """By service: the series that are to grow, as they stand."""
    texts = {service: exposed(system, service) for service in table["services"]}
    return {name: {each: value(texts[name], each) for each in table["services"][name]["grows"]} for name in texts}


def look(system: Watched, traces: Mapping[str, str], before: dict[str, dict[str, float]], table: Table = TABLE) -> Told:
    """What has been told so far; `traces` are ids by outcome."""
    now = grows(system, table)
    return Told(
        metrics={service: families(exposed(system, service)) for service in now},
        grown={
            service: {each for each in now[service] if now[service][each] > before[service][each]} for service in now
        },
        lines={service: system.lines(service) for service in now},
        traces={outcome: system.trace(trace_id) for outcome, trace_id in traces.items()},
    )
