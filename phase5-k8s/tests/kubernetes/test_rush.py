"""Whether every replica has had calls is read from what each says of itself; one without is noticed, by its name."""

from collections.abc import Sequence

import pytest

from workbook.cluster.rush import METHODS, _until_each_is_called
from workbook.cluster.visitors import Unexpected

OTHERS = """
grpc_requests_total{side="server",method="grpc.health.v1.Health/Check",code="OK"} 400.0
grpc_requests_total{side="client",method="event.EventService/ReserveTickets",code="OK"} 7.0
grpc_requests_total{side="server",method="booking.BookingService/CreateBooking",code="UNAVAILABLE"} 3.0
"""


class Told:
    """Two pods a service; those of `idle` have answered nothing but health checks."""

    def __init__(self, *idle: str) -> None:
        self._idle = idle

    def names(self, service: str) -> Sequence[str]:
        return [f"{service}-1", f"{service}-2"]

    def kill(self, name: str) -> None:
        raise AssertionError(name)

    def figures(self, service: str, name: str) -> str:
        calls = 0 if name in self._idle else 5
        return f'{OTHERS}grpc_requests_total{{side="server",method="{METHODS[service]}",code="OK"}} {calls}.0\n'

    def whole(self) -> None:
        raise AssertionError


def test_every_replica_was_called() -> None:
    _until_each_is_called(Told(), patience=1)


def test_one_that_was_not_is_named() -> None:
    with pytest.raises(Unexpected, match="without a call: event-service-2"):
        _until_each_is_called(Told("event-service-2"), patience=0.01)
