"""A customer whose traces are known, and what a local stack has told of it so far."""

import json
import secrets
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub

from tests.signals import TABLE, Told, families, value
from workbook.stack import LocalStack
from workbook.traces.client import Traces


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


@contextmanager
def customer(stack: LocalStack) -> Iterator[Customer]:
    with grpc.insecure_channel(stack["booking-service"].address) as channel:
        yield Customer(channel)


def exposed(stack: LocalStack, service: str) -> str:
    with urllib.request.urlopen(f"http://{stack.metrics_address(service)}/metrics", timeout=20) as answer:
        return str(answer.read().decode())


def grows(stack: LocalStack) -> dict[str, dict[str, float]]:
    """By service: the series that are to grow, as they stand."""
    texts = {service: exposed(stack, service) for service in TABLE["services"]}
    return {name: {each: value(texts[name], each) for each in TABLE["services"][name]["grows"]} for name in texts}


def look(stack: LocalStack, traces: Mapping[str, str], before: dict[str, dict[str, float]]) -> Told:
    """What has been told so far; `traces` are ids by outcome."""
    now, receiver = grows(stack), Traces(stack["traces"].address)
    return Told(
        metrics={service: families(exposed(stack, service)) for service in now},
        grown={
            service: {each for each in now[service] if now[service][each] > before[service][each]} for service in now
        },
        lines={service: lines(stack, service) for service in now},
        traces={outcome: receiver.trace(trace_id) for outcome, trace_id in traces.items()},
    )


def lines(stack: LocalStack, service: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stack[service].log.read_text().splitlines() if line.startswith("{")]
