"""gRPC in, use case, gRPC out. Checks live in the domain, statuses in chassis.error_status."""

from chassis.interceptor import Context
from chassis.paging import Position, page_size, read_token, write_token
from google.protobuf.timestamp_pb2 import Timestamp

from booking_service.domain import Booking, NewBooking, check_booking_id, check_name, check_reason
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc
from booking_service.service import BookingUseCases


class BookingHandler(booking_pb2_grpc.BookingServiceServicer):
    """`booking.BookingService` over the use cases: each method parses, calls, replies."""

    def __init__(self, use_cases: BookingUseCases) -> None:
        self._use_cases = use_cases

    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Context) -> pb.CreateBookingResponse:
        key = request.idempotency_key or None
        wish = NewBooking(request.user_id, request.event_id, request.ticket_count, key)
        return pb.CreateBookingResponse(booking=message(await self._use_cases.create(wish)))

    async def GetBooking(self, request: pb.GetBookingRequest, context: Context) -> pb.GetBookingResponse:
        booking = await self._use_cases.get(check_booking_id(request.booking_id))
        return pb.GetBookingResponse(booking=message(booking))

    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        user_id = check_name("user_id", request.user_id)
        limit, after = page_size(request.page_size), read_token(request.page_token)
        found = await self._use_cases.of_user(user_id, limit + 1, after)  # one more tells whether there is a next page
        page = found[:limit]
        token = write_token(Position(page[-1].created_at, page[-1].id)) if len(found) > limit else ""
        return pb.ListUserBookingsResponse(bookings=map(message, page), next_page_token=token)

    async def CancelBooking(self, request: pb.CancelBookingRequest, context: Context) -> pb.CancelBookingResponse:
        booking_id, reason = check_booking_id(request.booking_id), check_reason(request.reason)
        booking = await self._use_cases.cancel(booking_id, reason)
        return pb.CancelBookingResponse(success=True, message=f"booking {booking.id} is cancelled")


def message(booking: Booking) -> pb.Booking:
    """The booking as the wire carries it."""
    created_at, updated_at = Timestamp(), Timestamp()
    created_at.FromDatetime(booking.created_at)
    updated_at.FromDatetime(booking.updated_at)
    return pb.Booking(
        id=str(booking.id),
        user_id=booking.user_id,
        event_id=booking.event_id,
        ticket_count=booking.ticket_count,
        status=booking.status,
        created_at=created_at,
        updated_at=updated_at,
        reason=booking.reason,
    )
