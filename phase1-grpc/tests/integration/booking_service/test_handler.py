"""The four methods over gRPC, with a real database behind them: what they answer, and what they keep."""

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

import grpc
import psycopg
from booking_service.proto import booking_pb2 as pb
from tests.refusals import refusal

if TYPE_CHECKING:
    from booking_service.proto.booking_pb2_grpc import BookingServiceAsyncStub


def wish(user_id: str = "ada", **fields: object) -> pb.CreateBookingRequest:
    return pb.CreateBookingRequest(**{"user_id": user_id, "event_id": "concert", "ticket_count": 2, **fields})  # type: ignore[arg-type]  # each test's own fields


async def booked(stub: "BookingServiceAsyncStub", **fields: object) -> pb.Booking:
    return (await stub.CreateBooking(wish(**fields))).booking  # type: ignore[arg-type]  # as above


async def shown(stub: "BookingServiceAsyncStub", booking_id: str) -> pb.Booking:
    return (await stub.GetBooking(pb.GetBookingRequest(booking_id=booking_id))).booking


async def test_a_new_booking_is_confirmed_and_complete(stub: "BookingServiceAsyncStub") -> None:
    before = time.time()
    made = await booked(stub)
    assert (made.user_id, made.event_id, made.ticket_count) == ("ada", "concert", 2)
    assert (made.status, made.reason) == ("CONFIRMED", "")
    assert str(uuid.UUID(made.id)) == made.id
    assert before - 1 < made.created_at.ToSeconds() <= made.updated_at.ToSeconds() < time.time() + 1


async def test_what_was_made_is_shown(stub: "BookingServiceAsyncStub") -> None:
    made = await booked(stub)
    assert await shown(stub, made.id) == made
    assert await shown(stub, made.id.upper()) == made


async def test_a_list_shows_one_users_bookings_newest_first(stub: "BookingServiceAsyncStub") -> None:
    mine = [await booked(stub, ticket_count=count) for count in (1, 2, 3)]
    await booked(stub, user_id="bob")
    listed = await stub.ListUserBookings(pb.ListUserBookingsRequest(user_id="ada"))
    assert list(listed.bookings) == mine[::-1]
    assert listed.next_page_token == ""


async def test_a_list_comes_in_pages(stub: "BookingServiceAsyncStub") -> None:
    made = [(await booked(stub)).id for _ in range(7)]
    found, token = [], ""
    for expected in (3, 3, 1):
        request = pb.ListUserBookingsRequest(user_id="ada", page_size=3, page_token=token)
        page = await stub.ListUserBookings(request)
        assert len(page.bookings) == expected
        found += [booking.id for booking in page.bookings]
        token = page.next_page_token
    assert token == ""
    assert found == made[::-1]


async def test_a_last_page_that_is_full_is_the_last(stub: "BookingServiceAsyncStub") -> None:
    for _ in range(4):
        await booked(stub)
    first = await stub.ListUserBookings(pb.ListUserBookingsRequest(user_id="ada", page_size=4))
    assert (len(first.bookings), first.next_page_token) == (4, "")


async def test_a_page_is_50_unless_asked_and_never_more_than_100(
    stub: "BookingServiceAsyncStub", sql: psycopg.Connection
) -> None:
    sql.execute(
        "INSERT INTO bookings (id, user_id, event_id, ticket_count)"
        " SELECT gen_random_uuid(), 'ada', 'concert', 1 FROM generate_series(1, 120)"
    )
    for asked, given in ((0, 50), (100, 100), (101, 100), (2**31 - 1, 100)):
        page = await stub.ListUserBookings(pb.ListUserBookingsRequest(user_id="ada", page_size=asked))
        assert (len(page.bookings), bool(page.next_page_token)) == (given, True)


async def test_a_token_shows_nobody_elses_bookings(stub: "BookingServiceAsyncStub") -> None:
    for _ in range(3):
        await booked(stub)
    page = await stub.ListUserBookings(pb.ListUserBookingsRequest(user_id="ada", page_size=1))
    request = pb.ListUserBookingsRequest(user_id="bob", page_token=page.next_page_token)
    assert list((await stub.ListUserBookings(request)).bookings) == []


async def test_a_user_nobody_knows_has_no_bookings(stub: "BookingServiceAsyncStub") -> None:
    assert list((await stub.ListUserBookings(pb.ListUserBookingsRequest(user_id="nobody"))).bookings) == []


async def test_a_cancelled_booking_says_so_with_its_reason(stub: "BookingServiceAsyncStub") -> None:
    made = await booked(stub)
    cancelled = await stub.CancelBooking(pb.CancelBookingRequest(booking_id=made.id, reason="hasta oldum 🤒"))
    assert cancelled.success
    assert made.id in cancelled.message
    now = await shown(stub, made.id)
    assert (now.status, now.reason) == ("CANCELLED", "hasta oldum 🤒")
    assert now.updated_at.ToNanoseconds() > made.updated_at.ToNanoseconds()
    assert now.created_at == made.created_at


async def test_cancelling_again_succeeds_and_changes_nothing(stub: "BookingServiceAsyncStub") -> None:
    made = await booked(stub)
    first = await stub.CancelBooking(pb.CancelBookingRequest(booking_id=made.id, reason="ill"))
    once = await shown(stub, made.id)
    again = await stub.CancelBooking(pb.CancelBookingRequest(booking_id=made.id, reason="bored"))
    assert first == again
    assert await shown(stub, made.id) == once


async def test_unknown_bookings_are_not_found(stub: "BookingServiceAsyncStub") -> None:
    unknown = str(uuid.uuid4())
    expected = (grpc.StatusCode.NOT_FOUND, "BOOKING_NOT_FOUND", "")
    assert await refusal(stub.GetBooking(pb.GetBookingRequest(booking_id=unknown))) == expected
    assert await refusal(stub.CancelBooking(pb.CancelBookingRequest(booking_id=unknown))) == expected


async def test_a_retry_with_its_key_is_the_same_booking(stub: "BookingServiceAsyncStub") -> None:
    first = await booked(stub, idempotency_key="key")
    assert await booked(stub, idempotency_key="key") == first


async def test_a_retry_after_cancelling_shows_it_cancelled(stub: "BookingServiceAsyncStub") -> None:
    made = await booked(stub, idempotency_key="key")
    await stub.CancelBooking(pb.CancelBookingRequest(booking_id=made.id))
    again = await booked(stub, idempotency_key="key")
    assert (again.id, again.status) == (made.id, "CANCELLED")


async def test_a_key_for_another_request_is_refused(stub: "BookingServiceAsyncStub", sql: psycopg.Connection) -> None:
    await booked(stub, idempotency_key="key")
    expected = (grpc.StatusCode.ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED", "")
    for other in (wish(idempotency_key="key", ticket_count=3), wish(idempotency_key="key", event_id="opera")):
        assert await refusal(stub.CreateBooking(other)) == expected
    assert sql.execute("SELECT ticket_count, event_id FROM bookings").fetchall() == [(2, "concert")]


async def test_200_calls_at_once_with_one_key_are_one_booking(
    stub: "BookingServiceAsyncStub", sql: psycopg.Connection
) -> None:
    made = await asyncio.gather(*(booked(stub, idempotency_key="key") for _ in range(200)))
    assert len({booking.id for booking in made}) == 1
    assert {booking.status for booking in made} == {"CONFIRMED"}
    assert sql.execute("SELECT user_id, idempotency_key FROM bookings").fetchall() == [("ada", "key")]


async def test_200_calls_at_once_without_a_key_are_200_bookings(stub: "BookingServiceAsyncStub") -> None:
    """The test above can fail: the key makes the difference."""
    made = await asyncio.gather(*(booked(stub) for _ in range(200)))
    assert len({booking.id for booking in made}) == 200
