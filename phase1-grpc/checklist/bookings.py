"""The client of `booking.BookingService`."""

from typing import Any

import grpc
from checklist.client import Answer, Client, Code, Request, fresh
from checklist.contract import Contract
from checklist.reflection import Served

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

__all__ = ["END_THE_PAGES", "Answer", "Bookings", "Code", "Request", "fresh"]

NO_SUCH_EVENT = (Code.NOT_FOUND, Code.FAILED_PRECONDITION)
END_THE_PAGES = "start each page behind the last booking of the page before, and leave next_page_token empty at the end"


class Bookings(Client):
    """The calls of the checks, by their everyday names."""

    def __init__(self, system: System, name: str, contract: Contract, channel: grpc.Channel, served: Served) -> None:
        super().__init__(system, name, contract, channel, served)
        self.given: set[str] = set()  # all ids that CreateBooking answered over this connection
        self._any_event: bool | None = None  # whether an event can be booked that nobody made; None: not tried yet

    def new_event(self) -> str:
        """The id of an event that nobody booked before: any, unless the system says which events there are."""
        if self.system.event_maker is not None:
            return self.system.event_maker()
        if self._any_event is None:
            answer = self.attempt("CreateBooking", user_id=fresh("user"), event_id=fresh("event"), ticket_count=1)
            self._any_event = answer.code not in NO_SUCH_EVENT
        if not self._any_event:
            not_run("needs an event to book: --target booking-service=HOST:PORT,event-service=HOST:PORT")
        return fresh("event")

    def create(self, user: str, case: str = "", **request: Any) -> Answer:
        if "event_id" not in request:
            request["event_id"] = self.new_event()
        return self.call("CreateBooking", case, **{"user_id": user, "ticket_count": 2, **request})

    def book(self, user: str, **request: Any) -> Any:
        """A new booking."""
        return self.create(user, **request).ok().booking

    def get(self, booking_id: str, case: str = "") -> Answer:
        return self.call("GetBooking", case, booking_id=booking_id)

    def cancel(self, booking_id: str, case: str = "", **request: Any) -> Answer:
        return self.call("CancelBooking", case, booking_id=booking_id, **request)

    def page(self, user: str, case: str = "", **request: Any) -> Answer:
        return self.call("ListUserBookings", case, user_id=user, **request)

    def listed(self, user: str, **request: Any) -> list[Any]:
        """All bookings of a user, page by page where the server has pages."""
        found: list[Any] = []
        seen: set[str] = set()
        token = ""
        while True:
            page = self.page(user, **request, **({"page_token": token} if token else {})).ok()
            token = getattr(page, "next_page_token", "")
            found += page.bookings
            if not token:
                return found
            ids = {booking.id for booking in page.bookings}
            expect(ids - seen, "ListUserBookings has a next page, and nothing new on it", END_THE_PAGES)
            seen |= ids

    def stored(self, booking_id: str) -> Any:
        """The booking as GetBooking has it now."""
        return self.get(booking_id).ok().booking

    def _answer(self, method: str, case: str, call: Any) -> Answer:
        answer = super()._answer(method, case, call)
        if answer.message is not None and method == "CreateBooking":
            self.given.add(answer.message.booking.id)
        return answer
