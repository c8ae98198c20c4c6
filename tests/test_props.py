"""What lessons put on the table does what it says."""

import http.client
import threading
from collections.abc import Iterator

import grpc
import pytest
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc

from workbook.part import State
from workbook.props.schema import DoesNotCompile, compiled
from workbook.props.twins import Twins
from workbook.props.wiretap import Wiretap


def test_two_versions_of_one_message_meet() -> None:
    old = compiled('syntax = "proto3"; package p; message M { int32 a = 1; }')["M"]
    new = compiled('syntax = "proto3"; package p; message M { int32 a = 1; int32 b = 2; }')["M"]
    assert old.FromString(new(a=3, b=4).SerializeToString()).a == 3


def test_a_refusal_is_protocs_own() -> None:
    with pytest.raises(DoesNotCompile, match=r"lesson.proto:1:.*Field numbers must be positive"):
        compiled('syntax = "proto3"; message M { int32 a = 0; }')


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    started = Twins()
    yield started
    started.stop()
    assert started.part.state is State.STOPPED


def over_grpc(address: str) -> pb.Booking:
    with grpc.insecure_channel(address) as channel:
        stub = booking_pb2_grpc.BookingServiceStub(channel)
        wish = pb.CreateBookingRequest(user_id="ayse", event_id="e-1", ticket_count=2, idempotency_key="once")
        made = stub.CreateBooking(wish, timeout=5).booking
        return stub.GetBooking(pb.GetBookingRequest(booking_id=made.id), timeout=5).booking


def over_rest(address: str, booking_id: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", f"/v1/bookings/{booking_id}")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_twins_show_the_same_booking(twins: Twins) -> None:
    booking = over_grpc(twins.grpc)
    status, body = over_rest(twins.rest, booking.id)
    assert status == 200
    assert booking.id.encode() in body


@pytest.mark.parametrize(("booking_id", "status"), [("4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21", 404), ("7", 400)])
def test_the_rest_twin_refuses(twins: Twins, booking_id: str, status: int) -> None:
    assert over_rest(twins.rest, booking_id)[0] == status


def test_a_wiretap_keeps_what_passes_and_ends(twins: Twins) -> None:
    booking, threads = over_grpc(twins.grpc), threading.active_count()
    with Wiretap(twins.rest) as tap:
        _, body = over_rest(tap.address, booking.id)
        assert tap.wire.connections == 1
        assert tap.wire.sent.startswith(b"GET /v1/bookings/")
        assert tap.wire.received.endswith(body)
        assert tap.wire.size == len(tap.wire.sent) + len(tap.wire.received)
    for thread in threading.enumerate():
        if thread.daemon and thread.name.startswith("wiretap"):
            thread.join(5)
    assert threading.active_count() <= threads
