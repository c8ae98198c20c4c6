"""Requests as a server on the open internet sees them: its clients', and those of strangers who try their luck."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import grpc

METHODS = (
    "booking.BookingService/CreateBooking",
    "booking.BookingService/GetBooking",
    "booking.BookingService/ListUserBookings",
    "booking.BookingService/CancelBooking",
    "event.EventService/GetEvent",
    "event.EventService/ReserveTickets",
    "grpc.health.v1.Health/Check",
)
CODES = tuple(grpc.StatusCode)
MADE_UP_CODES = (17, 42, 99, 1000, -1)
LOOK_ALIKES = (
    "/booking.bookingservice/getbooking",
    "/BOOKING.BookingService/GetBooking",
    "/shadow.BookingService/GetBooking",
    "/a/booking.BookingService/GetBooking",
    "/booking.BookingService/GetBooking/",
    "/booking.BookingService/GetBookings",
    "/booking.BookingService/",
    "/.env",
    "/",
    "",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as the lesson's cell has it."""

    path: str = "/booking.BookingService/GetBooking"
    code: grpc.StatusCode | int = grpc.StatusCode.NOT_FOUND
    user_id: str = "ada"
    event_id: str = "jazz-night"
    peer: str = "ipv4:10.0.0.7:51200"


def numbered(field: str, number: int) -> Asked:
    """The same request each time, but for one field."""
    if field == "peer":
        return Asked(peer=f"ipv4:10.0.0.7:{30_000 + number}")
    return Asked(user_id=f"user-{number}") if field == "user_id" else Asked(event_id=f"event-{number}")


def everything(requests: int) -> Iterator[Asked]:
    """A third of them ask for a method that there is; no id and no address comes twice."""
    random = Random(4)  # noqa: S311 - the same requests each time
    for number in range(requests):
        yield Asked(
            path=random.choice((f"/{random.choice(METHODS)}", f"/scan/{number}", random.choice(LOOK_ALIKES))),
            code=random.choice((random.choice(CODES), random.randint(0, 16), random.randint(-1000, 1000))),
            user_id=f"user-{number}",
            event_id=f"event-{number}",
            peer=f"ipv4:10.0.{number % 256}.{number // 256}:{30_000 + number}",
        )
