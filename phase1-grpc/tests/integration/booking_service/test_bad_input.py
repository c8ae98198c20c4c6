"""Bad input of every sort, in every field of every method: the right status, the right field, and no row changed."""

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import grpc
import psycopg
import pytest
from booking_service.proto import booking_pb2 as pb
from chassis.server import GrpcServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.refusals import refusal

if TYPE_CHECKING:
    from booking_service.proto.booking_pb2_grpc import BookingServiceAsyncStub

GOOD: dict[str, Any] = {
    "CreateBooking": pb.CreateBookingRequest(user_id="ada", event_id="concert", ticket_count=2, idempotency_key="new"),
    "GetBooking": pb.GetBookingRequest(booking_id=str(uuid.UUID(int=1))),
    "ListUserBookings": pb.ListUserBookingsRequest(user_id="ada"),
    "CancelBooking": pb.CancelBookingRequest(booking_id=str(uuid.UUID(int=1))),
}
NAMES = ["", " ", "   ", "a b", "a\0b", "a\n", "\x1b[2J", "çağla", "🎫", "x" * 65, "x" * 50_000, "a';--", "\ufeffada"]
IDS = ["", " ", "17", "no-uuid", f"{uuid.UUID(int=1).hex}", f"{uuid.UUID(int=1)}\n", "a\0b", "x" * 50_000, "🎫"]
WRONG: dict[tuple[str, str], list[Any]] = {
    ("CreateBooking", "user_id"): NAMES,
    ("CreateBooking", "event_id"): NAMES,
    ("CreateBooking", "ticket_count"): [0, -1, 11, 2**31 - 1, -(2**31)],
    ("CreateBooking", "idempotency_key"): [" ", "a b", "a\0b", "k\n", "ş", "x" * 129, "x" * 50_000],
    ("GetBooking", "booking_id"): IDS,
    ("ListUserBookings", "user_id"): NAMES,
    ("ListUserBookings", "page_size"): [-1, -(2**31)],
    ("ListUserBookings", "page_token"): [" ", "x", "a\0b", "ş" * 32, "A" * 31, "f" + "_" * 31, "x" * 50_000],
    ("CancelBooking", "booking_id"): IDS,
    ("CancelBooking", "reason"): ["a\0b", "two\nlines", "\x1b[2J", "x" * 201, "x" * 50_000],
}
CASES = [(method, field, value) for (method, field), values in WRONG.items() for value in values]


def changed(method: str, field: str, value: Any) -> Any:
    """The good request of a method with one field changed."""
    request = type(GOOD[method])()
    request.CopyFrom(GOOD[method])
    setattr(request, field, value)
    return request


def rows(sql: psycopg.Connection) -> list[Any]:
    return sql.execute("SELECT * FROM bookings ORDER BY id").fetchall()


def one_booking(sql: psycopg.Connection) -> list[Any]:
    """The table with one booking in it."""
    sql.execute(
        "INSERT INTO bookings (id, user_id, event_id, ticket_count, status) VALUES (%s, 'ada', 'concert', 2, %s)",
        [uuid.UUID(int=1), "CONFIRMED"],
    )
    return rows(sql)


async def test_every_bad_value_is_refused_by_its_field_and_changes_nothing(
    stub: "BookingServiceAsyncStub", sql: psycopg.Connection
) -> None:
    before = one_booking(sql)
    for method, field, value in CASES:
        refused = await refusal(getattr(stub, method)(changed(method, field, value)))
        expected = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", field)
        assert refused == expected, f"{method}, {field} = {value!r:.40}: {refused}"
        assert rows(sql) == before, f"{method}, {field} = {value!r:.40} changed the table"


async def test_the_requests_that_the_bad_ones_are_made_of_are_good(
    stub: "BookingServiceAsyncStub", sql: psycopg.Connection
) -> None:
    """The test above can fail."""
    before = one_booking(sql)
    for method, request in GOOD.items():
        await getattr(stub, method)(request)
    assert rows(sql) != before


def test_no_field_of_any_request_is_left_out() -> None:
    fields = {(method, field.name) for method, request in GOOD.items() for field in request.DESCRIPTOR.fields}
    assert fields == set(WRONG)


@pytest.mark.parametrize("method", GOOD)
async def test_a_message_of_1_mb_is_refused_unread(
    channel: grpc.aio.Channel, sql: psycopg.Connection, method: str
) -> None:
    call: Any = channel.unary_unary(f"/booking.BookingService/{method}")
    huge = changed("CreateBooking", "user_id", "x" * 1_000_000).SerializeToString()
    assert (await refusal(call(huge))).code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert rows(sql) == []


async def test_fields_of_the_future_are_ignored(channel: grpc.aio.Channel) -> None:
    call: Any = channel.unary_unary("/booking.BookingService/CreateBooking")
    unknown = b"\xa2\x06\x04more"  # field 100, a string
    answer = pb.CreateBookingResponse.FromString(await call(GOOD["CreateBooking"].SerializeToString() + unknown))
    assert answer.booking.status == "CONFIRMED"


EXPECTED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
}
REQUESTS = st.one_of(
    st.binary(max_size=200),
    # Well-formed but for what is in the fields: deeper than random bytes ever come.
    st.builds(
        pb.CreateBookingRequest,
        user_id=st.text(max_size=70),
        event_id=st.text(max_size=70),
        ticket_count=st.integers(-(2**31), 2**31 - 1),
        idempotency_key=st.text(max_size=10),
    ).map(lambda request: request.SerializeToString()),
    st.builds(
        pb.ListUserBookingsRequest,
        user_id=st.sampled_from(["ada", "bob"]),
        page_size=st.integers(-(2**31), 2**31 - 1),
        page_token=st.text(alphabet="AZaz09-_+/=", min_size=32, max_size=32),
    ).map(lambda request: request.SerializeToString()),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(st.tuples(st.sampled_from(sorted(GOOD)), REQUESTS), min_size=1, max_size=30))
async def test_no_bytes_at_all_are_a_bug(server: GrpcServer, requests: list[tuple[str, bytes]]) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        methods: dict[str, Any] = {name: channel.unary_unary(f"/booking.BookingService/{name}") for name in GOOD}
        codes = await asyncio.gather(*(methods[name](raw).code() for name, raw in requests))
    wrong = [(code, *request) for code, request in zip(codes, requests, strict=True) if code not in EXPECTED]
    assert not wrong
