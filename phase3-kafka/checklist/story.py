"""What the checks do once, in a few seconds, and then look at from every side: bookings and their messages."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from checklist.bookings import Bookings
from checklist.client import Request, fresh
from checklist.events import Events
from checklist.messages import CANCELLED, CREATED, Log, Message
from checklist.page import SETTLE, Figures
from checklist.sales import is_sold, statuses, wish

from workbook.checks.verdict import not_run

WATCHED = 3  # bookings that are asked for at the moment their message is seen
TOGETHER = 12
GIVEN_BACK = 6  # bookings that are cancelled
PLENTY = 10_000


@dataclass
class Story:
    """`booked` is all that was confirmed; of these, `cancelled` were cancelled, and `retried` was sent twice.

    `early` are users whose booking was not there when its message was; `before` is what the consumer's page showed.
    """

    log: Log
    booked: list[Any] = field(default_factory=list)
    cancelled: list[Any] = field(default_factory=list)
    retried: Any = None
    refused: str = ""
    early: list[str] = field(default_factory=list)
    uncertain: bool = False
    before: Figures | None = None

    def about(self, booking: Any) -> list[Message]:
        return self.log.about(booking.user_id, booking.id)

    def created(self, booking: Any) -> list[Message]:
        """The messages that say that it was booked; where they have no types, whatever was said first."""
        about = self.about(booking)
        typed = [message for message in about if message.kind == CREATED]
        others = [message for message in about if message.kind != CANCELLED]
        return typed or others[: 1 if booking in self.cancelled else None]

    @property
    def messages(self) -> list[Message]:
        return [message for booking in self.booked for message in self.about(booking)]

    @property
    def in_contract(self) -> bool:
        return any(message.in_contract for message in self.messages)


class Telling:
    """Makes the story happen."""

    def __init__(self, log: Log, bookings: Bookings, events: Events) -> None:
        self._bookings = bookings
        self._events = events
        self._event = self._on_sale(PLENTY)
        self.story = Story(log)

    def tell(self) -> Story:
        """Everything, and then the time that messages need."""
        log, within = self.story.log, self._bookings.system.within
        self._watched()
        if self.story.booked and not self.story.messages:
            return self.story  # it would be nothing but waiting
        self._booked_together()
        self._cancelled()
        self._refused()
        self._retried()
        log.until(lambda: all(map(self.story.created, self.story.booked)), 2 * within)
        if self.story.in_contract:
            log.until(lambda: all(len(self.story.about(each)) > 1 for each in self.story.cancelled), within)
        log.settle(2 * SETTLE)
        return self.story

    def _watched(self) -> None:
        """Books, and looks whether the booking is there as soon as its message is."""
        with ThreadPoolExecutor(1) as pool:
            for count in range(1, WATCHED + 1):
                request = wish(self._event, count)
                user = request["user_id"]
                booking = pool.submit(self._bookings.attempt, "CreateBooking", **request)
                if self._told(user, booking):
                    self.story.early += [] if statuses(self._bookings, user) else [user]
                self._take(booking.result())
                if not self.story.messages:
                    return

    def _told(self, user: str, booking: Future[Any]) -> bool:
        """Whether a message about the user comes before the booking is answered, or soon after that."""
        log, system = self.story.log, self._bookings.system
        log.until(lambda: booking.done() or log.about(user), system.patience)
        return log.until(lambda: log.about(user), system.within)

    def _booked_together(self) -> None:
        wishes = [wish(self._event, 1 + number % 3) for number in range(TOGETHER)]
        for answer in self._bookings.at_once("CreateBooking", wishes, f"with {TOGETHER} buyers at once"):
            self._take(answer)

    def _cancelled(self) -> None:
        for count in range(1, GIVEN_BACK + 1):
            booking = self._take(self._bookings.attempt("CreateBooking", **wish(self._event, count)))
            answer = self._bookings.cancel(booking.id)
            if not (answer.message and answer.message.success):
                not_run(f"needs a booking service that cancels: {answer.told()}, see checklist 2")
            self.story.cancelled.append(booking)
        self._bookings.cancel(self.story.cancelled[0].id, "of a cancelled booking")

    def _refused(self) -> None:
        self.story.refused = fresh("user")
        request: Request = {"user_id": self.story.refused, "event_id": self._on_sale(1), "ticket_count": 2}
        if is_sold(self._bookings.attempt("CreateBooking", **request)):
            not_run("needs a booking service that refuses what is sold out, see checklist 2")

    def _retried(self) -> None:
        if "idempotency_key" not in self._bookings.additions["CreateBookingRequest"]:
            return
        request = wish(self._event, 2, idempotency_key=fresh("key"))
        self.story.retried = self._take(self._bookings.attempt("CreateBooking", **request))
        self._bookings.attempt("CreateBooking", **request)

    def _take(self, answer: Any) -> Any:
        if not is_sold(answer):
            not_run(f"needs a booking service that books: {answer.told()}, see checklist 2")
        self.story.booked.append(answer.message.booking)
        return answer.message.booking

    def _on_sale(self, tickets: int) -> str:
        event = self._events.create(capacity=tickets)
        if event.message is None:
            not_run(f"needs an event service that makes events: {event.told()}, see checklist 2")
        return str(event.message.event.id)
