"""An event to book, for checks of bookings alone: where a service knows events, only those it has can be booked."""

import secrets
import time
from typing import Any

from event_service.proto import event_pb2
from event_service.proto.event_pb2_grpc import EventServiceStub
from google.protobuf.timestamp_pb2 import Timestamp

from workbook.checks.system import System

_CAPACITY = 1_000  # more tickets than all checks of a phase book
_IN_A_YEAR = 365 * 24 * 3600


def made_event(system: System, service: str) -> str:
    """The id of a new event of the event service, whose name this is; raises grpc.RpcError."""
    wish = event_pb2.CreateEventRequest(
        name=f"check-event-{secrets.token_hex(6)}",
        kind="concert",
        starts_at=Timestamp(seconds=int(time.time()) + _IN_A_YEAR),
        venue="check-venue",
        capacity=_CAPACITY,
    )
    with system.channel(service) as channel:
        events: Any = EventServiceStub(channel)
        return str(events.CreateEvent(wish, timeout=system.patience).event.id)
