"""A customer whose calls begin traces, as a gateway's would: it tells the booking service of them."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import grpc
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from chassis.channel import open_channel
from event_service.proto import event_pb2 as events_pb
from event_service.proto.event_pb2_grpc import EventServiceStub
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry import trace
from telemetry.client import client_telemetry
from telemetry.config import TelemetrySettings
from telemetry.methods import Methods, methods_of
from telemetry.requests import RequestMetrics, Requests
from telemetry.spans import Spans
from telemetry.tracing import Tracing

BOOKING = pb.DESCRIPTOR.services_by_name["BookingService"]


@dataclass
class Customer:
    channel: grpc.aio.Channel
    tracing: Tracing

    async def books(self, event_id: str, tickets: int = 1) -> tuple[pb.Booking, str]:
        """The booking, and the id of its trace."""
        wish = pb.CreateBookingRequest(
            user_id="ada", event_id=event_id, ticket_count=tickets, idempotency_key=uuid.uuid4().hex
        )
        with self.tracing.tracer.start_as_current_span("buys") as span:
            answer = await BookingServiceStub(self.channel).CreateBooking(wish, timeout=20, wait_for_ready=True)
        return answer.booking, trace.format_trace_id(span.get_span_context().trace_id)

    async def cancels(self, booking_id: str) -> str:
        """The id of the trace."""
        request = pb.CancelBookingRequest(booking_id=booking_id)
        with self.tracing.tracer.start_as_current_span("regrets") as span:
            await BookingServiceStub(self.channel).CancelBooking(request, timeout=20, wait_for_ready=True)
        return trace.format_trace_id(span.get_span_context().trace_id)


@asynccontextmanager
async def customer(address: str, endpoint: str) -> AsyncIterator[Customer]:
    """One who calls the booking service at `address`, and sends spans to the collector at `endpoint`."""
    settings = TelemetrySettings(otel_exporter_otlp_endpoint=endpoint, otel_bsp_schedule_delay=20)
    async with Tracing(settings, "customer") as tracing:
        requests = Requests(RequestMetrics(), "client", Methods(methods_of(BOOKING)))
        around = client_telemetry(requests, Spans(tracing.tracer))
        async with open_channel(address, deadline_limit=30, interceptors=around) as channel:
            yield Customer(channel, tracing)


async def new_event(address: str, capacity: int = 100) -> str:
    """The id of a new event at the event service there; nobody traces its making."""
    starts_at = Timestamp()
    starts_at.FromDatetime(datetime.now(UTC) + timedelta(days=30))
    new = events_pb.CreateEventRequest(
        name="Jazz night", kind="concert", starts_at=starts_at, venue="Babylon", capacity=capacity
    )
    async with grpc.aio.insecure_channel(address) as channel:
        return (await EventServiceStub(channel).CreateEvent(new, timeout=20, wait_for_ready=True)).event.id
