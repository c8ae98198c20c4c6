"""Events and bookings as a gateway should have them, in memory."""

import threading
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.checklist.refusals import Refusal

Thing = dict[str, Any]
_PATIENCE = 20  # seconds that a stream without news is kept open
BODY = ("event_id", "ticket_count")


class Sales:
    confirmed = "CONFIRMED"

    def __init__(self) -> None:
        self.events: dict[str, Thing] = {}
        self.bookings: dict[str, Thing] = {}
        self._keys: dict[Any, tuple[str, Any]] = {}
        self.changed = threading.Condition(threading.RLock())

    def put_on_sale(self, body: Mapping[str, Any]) -> Thing:
        if not isinstance(body.get("capacity"), int):
            raise Refusal(422, "INVALID_FIELD", "capacity: must be a number")
        event = {"id": str(uuid.uuid4()), "available_tickets": body["capacity"], **body}
        self.events[event["id"]] = event
        return event

    def event(self, event_id: str) -> Thing:
        if event_id not in self.events:
            raise Refusal(404, "EVENT_NOT_FOUND", "there is no such event")
        return self.shown(self.events[event_id])

    def shown(self, event: Thing) -> Thing:
        return event

    def listed(self) -> list[Thing]:
        return list(self.events.values())

    def book(self, user: str, body: Mapping[str, Any], key: str) -> Thing:
        self.check(body)
        self.needs_known_fields(body)
        event, count = self.event(body["event_id"]), body["ticket_count"]
        with self.changed:
            name, wish = self.name_of(user, key), (event["id"], count)
            if name in self._keys:
                return self._again(name, wish)
            self.take(event, count)
            booking = self.made(user, event, count, body)
            self.bookings[booking["id"]] = booking
            self._keys[name] = (booking["id"], wish)
            self.changed.notify_all()
            return booking

    def check(self, body: Mapping[str, Any]) -> None:
        event_id, count = (body.get(name) for name in BODY)
        if not isinstance(event_id, str) or type(count) is not int or not 1 <= count <= 1000:
            raise Refusal(422, "INVALID_FIELD", "event_id or ticket_count is not what it must be")

    def needs_known_fields(self, body: Mapping[str, Any]) -> None:
        if set(body) - set(BODY):
            raise Refusal(422, "INVALID_FIELD", "there is a field that nobody knows")

    def name_of(self, user: str, key: str) -> Any:
        return (user, key)

    def _again(self, name: Any, wish: Any) -> Thing:
        booking, before = self._keys[name]
        if wish != before and not self.takes_other_wishes():
            raise Refusal(409, "KEY_REUSED", "that key was used for something else")
        return self.bookings[booking]

    def takes_other_wishes(self) -> bool:
        return False

    def take(self, event: Thing, count: int) -> None:
        if self.events[event["id"]]["available_tickets"] < count:
            raise Refusal(409, "SOLD_OUT", "there are no such tickets left")
        self.events[event["id"]]["available_tickets"] -= count

    def made(self, user: str, event: Thing, count: int, body: Mapping[str, Any]) -> Thing:
        del body
        status = self.confirmed
        return {
            "id": str(uuid.uuid4()),
            "user_id": user,
            "event_id": event["id"],
            "ticket_count": count,
            "status": status,
        }

    def booking(self, user: str, booking_id: str) -> Thing:
        booking = self.bookings.get(booking_id)
        if booking is None or not self.is_own(user, booking):
            raise self.not_yours(booking)
        return booking

    def is_own(self, user: str, booking: Thing) -> bool:
        return bool(booking["user_id"] == user)

    def not_yours(self, booking: Thing | None) -> Refusal:
        del booking
        return Refusal(404, "BOOKING_NOT_FOUND", "there is no such booking")

    def of_user(self, user: str) -> list[Thing]:
        return [booking for booking in self.bookings.values() if booking["user_id"] == user]

    def cancel(self, user: str, booking_id: str) -> Thing:
        booking = self.booking(user, booking_id)
        with self.changed:
            if booking["status"] != "CANCELLED" or self.gives_back_again():
                self.events[booking["event_id"]]["available_tickets"] += booking["ticket_count"]
            booking["status"] = "CANCELLED"
            self.changed.notify_all()
        return booking

    def gives_back_again(self) -> bool:
        return False

    def watch(self, event_id: str) -> Iterator[int]:
        """The tickets left, now and at each change."""
        event = self.events[event_id]
        while True:
            seen = event["available_tickets"]
            yield seen
            with self.changed:
                if not self.changed.wait_for(lambda now=seen: event["available_tickets"] != now, _PATIENCE):
                    return
