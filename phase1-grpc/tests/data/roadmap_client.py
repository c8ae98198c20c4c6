"""A client that knows the roadmap's proto only: `python roadmap_client.py ADDRESS`, with the stubs in reach.

It makes, gets, lists and cancels a booking, and prints what it saw as JSON.
"""

# mypy: disable-error-code="import-not-found"
# Its stubs are made by the test that runs it.
import json
import sys

import booking_pb2 as pb
import booking_pb2_grpc
import grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    stub = booking_pb2_grpc.BookingServiceStub(channel)
    made = stub.CreateBooking(pb.CreateBookingRequest(user_id="ada", event_id="concert", ticket_count=2)).booking
    got = stub.GetBooking(pb.GetBookingRequest(booking_id=made.id)).booking
    listed = stub.ListUserBookings(pb.ListUserBookingsRequest(user_id="ada")).bookings
    cancelled = stub.CancelBooking(pb.CancelBookingRequest(booking_id=made.id))
    after = stub.GetBooking(pb.GetBookingRequest(booking_id=made.id)).booking
    seen = {
        "made": [made.user_id, made.event_id, made.ticket_count, made.status, made.created_at.seconds > 0],
        "same": [got.id == made.id, [booking.id for booking in listed] == [made.id]],
        "cancelled": [cancelled.success, bool(cancelled.message), after.status],
    }
print(json.dumps(seen))  # noqa: T201 - the test that runs it reads this line
