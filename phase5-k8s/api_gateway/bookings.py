"""/v1/bookings: the bookings of whoever asks."""

from typing import Annotated, Any, Literal

from booking_service.proto import booking_pb2 as pb
from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api_gateway.answers import Json
from api_gateway.backends import back, token_of
from api_gateway.callers import caller_of
from api_gateway.documented import SIGNED_IN, problems
from api_gateway.fields import Id, Moment, PageSize, PageToken, Strict

router = APIRouter(prefix="/v1/bookings", tags=["bookings"])

BookingId = Annotated[Id, Path(description="as a new booking gives it")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,128}$",
        description="The same on every try: one key of one user is one booking",
        examples=["checkout-7f3a"],
    ),
]
EXAMPLE: dict[str, Any] = {
    "id": "9c1e2ab4-3c5f-4a5c-8d0b-6f0d3a1e7b42",
    "user_id": "6b2f8f56-6f0c-4f0e-9f4c-8f4a1d3c2b10",
    "event_id": "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21",
    "ticket_count": 2,
    "status": "CONFIRMED",
    "created_at": "2026-11-20T17:05:12.345678Z",
    "updated_at": "2026-11-20T17:05:12.350123Z",
    "reason": "",
}


class Booking(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    id: Id
    user_id: str
    event_id: str
    ticket_count: int
    status: Literal["PENDING", "CONFIRMED", "CANCELLED"]
    created_at: Moment
    updated_at: Moment
    reason: str


class Bookings(BaseModel):
    bookings: list[Booking]
    next_page_token: str


class NewBooking(Strict):
    model_config = ConfigDict(json_schema_extra={"examples": [{"event_id": EXAMPLE["event_id"], "ticket_count": 2}]})
    event_id: Id
    ticket_count: Annotated[int, Field(ge=1, le=10)]


@router.post("", status_code=201, response_model=Booking, responses=problems(401, 403, 409), openapi_extra=SIGNED_IN)
async def create_booking(request: Request, new: NewBooking, key: Key) -> Response:
    """Books tickets for whoever asks. The same key again is the same booking; for something else it is refused."""
    wanted = pb.CreateBookingRequest(
        user_id=caller_of(request).id, event_id=new.event_id, ticket_count=new.ticket_count, idempotency_key=key
    )
    made = (await back(request).bookings.CreateBooking(wanted, metadata=token_of(request))).booking
    request.app.state.stories.note(made.id)
    return Json(shown(made), 201, {"Location": f"{router.prefix}/{made.id}"})


@router.get("", response_model=Bookings, responses=problems(401, 403), openapi_extra=SIGNED_IN)
async def list_bookings(
    request: Request,
    *,
    page_size: Annotated[PageSize, Query()] = 50,
    page_token: Annotated[PageToken, Query(description="next_page_token of the page before")] = "",
) -> Response:
    """One's own bookings, newest first."""
    wanted = pb.ListUserBookingsRequest(user_id=caller_of(request).id, page_size=page_size, page_token=page_token)
    page = await back(request).bookings.ListUserBookings(wanted, metadata=token_of(request))
    return Json({"bookings": [shown(each) for each in page.bookings], "next_page_token": page.next_page_token})


@router.get("/{booking_id}", response_model=Booking, responses=problems(401, 403, 404), openapi_extra=SIGNED_IN)
async def get_booking(request: Request, booking_id: BookingId) -> Response:
    return Json(shown(await booking_of(request, booking_id)))


@router.post(
    "/{booking_id}/cancellation",
    response_model=Booking,
    responses=problems(401, 403, 404, 409),
    openapi_extra=SIGNED_IN,
)
async def cancel_booking(request: Request, booking_id: BookingId) -> Response:
    """Gives the tickets back. Again, it changes nothing and succeeds too."""
    wanted = pb.CancelBookingRequest(booking_id=booking_id)
    await back(request).bookings.CancelBooking(wanted, metadata=token_of(request))
    return Json(shown(await booking_of(request, booking_id)))


async def booking_of(request: Request, booking_id: str) -> pb.Booking:
    wanted = pb.GetBookingRequest(booking_id=booking_id)
    found: pb.GetBookingResponse = await back(request).bookings.GetBooking(wanted, metadata=token_of(request))
    return found.booking


def shown(booking: pb.Booking) -> dict[str, Any]:
    """The booking as JSON has it."""
    return {
        "id": booking.id,
        "user_id": booking.user_id,
        "event_id": booking.event_id,
        "ticket_count": booking.ticket_count,
        "status": booking.status,
        "created_at": booking.created_at.ToJsonString(),
        "updated_at": booking.updated_at.ToJsonString(),
        "reason": booking.reason,
    }
