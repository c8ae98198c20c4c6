"""The closed sets behind the labels: which methods there are, and which answers. A client cannot add to them."""

from collections.abc import Iterable

import grpc
from event_service.proto import event_pb2
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2

OTHER = "other"
"""Stands for every method that is not known: a client may call whatever it likes, and each name would be a series."""

CODES = tuple(code.name for code in grpc.StatusCode)

_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
_EVENTS: ServiceDescriptor = event_pb2.DESCRIPTOR.services_by_name["EventService"]


def methods_of(*services: ServiceDescriptor) -> tuple[str, ...]:
    """Their methods as the labels name them, such as booking.BookingService/GetBooking; health checks are with them."""
    return tuple(f"{service.full_name}/{method.name}" for service in (*services, _HEALTH) for method in service.methods)


CALLED_BY_BOOKING = tuple(f"{_EVENTS.full_name}/{name}" for name in ("ReserveTickets", "ReleaseTickets"))
"""What the booking service calls elsewhere."""


class Methods:
    """Knows a closed set of methods."""

    def __init__(self, known: Iterable[str]) -> None:
        self.names = (*dict.fromkeys(known), OTHER)
        self._by_path = {f"/{name}": name for name in self.names}

    def name(self, path: str | bytes) -> str:
        """The method's label for a path as gRPC gives it, such as /booking.BookingService/GetBooking."""
        text = path if isinstance(path, str) else path.decode(errors="replace")
        return self._by_path.get(text, OTHER)
