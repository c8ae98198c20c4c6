"""Events to book, and bookings, as a gateway has them that follows the roadmap in its own way."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from checklist.asking import Answer, field, inside
from checklist.client import fresh
from checklist.gateway import BOOKINGS, EVENTS, Gateway, booking_path, event_path, needs_path, new_key
from checklist.people import Person, claims_of

from workbook.checks.verdict import expect, not_run

ENOUGH = 20  # tickets that no check of one event books
_NEEDS_EVENT = "needs an event with tickets left: put it on sale, or an organiser's token into TICKETS_TOKEN"


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    capacity: int
    ours: bool  # nobody else books it


class Selling:
    """Bookings and events through the gateway. Some want `user_id` in the body, as the roadmap's message has it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.names_user: bool | None = None

    def put_on_sale(self, token: str, case: str = "", **given: Any) -> Answer:
        """What an organiser sends; the event is one that nobody else has."""
        starts = (datetime.now(UTC) + timedelta(days=366)).strftime("%Y-%m-%dT%H:%M:%SZ")
        wish = {
            "name": fresh("event"),
            "kind": "concert",
            "starts_at": starts,
            "venue": fresh("venue"),
            "capacity": ENOUGH,
        }
        return self.gateway.ask("POST", EVENTS, case, token=token, body={**wish, **given})

    def on_sale(self, capacity: int = ENOUGH) -> Event:
        """A new event where the token in hand may make one, else one that is on sale."""
        token = self.gateway.system.token
        made = self.put_on_sale(token(), capacity=capacity) if token else None
        if made is not None and made.succeeded:
            event = inside(made.content, "event")
            return Event(str(field(event, "id")), capacity, ours=True)
        if made is not None and made.status not in {401, 403} and not made.is_missing:
            made.ok()
        return self._listed()

    def _listed(self) -> Event:
        there = {str(field(event, "id")): int(field(event, "available_tickets") or 0) for event in self.events()}
        found = next((Event(name, left, ours=False) for name, left in there.items() if left >= ENOUGH), None)
        return found or not_run(_NEEDS_EVENT)

    def events(self) -> Sequence[Any]:
        answer = self.gateway.ask("GET", EVENTS)
        needs_path(answer, f"GET {EVENTS}")
        found = inside(answer.ok(), "events")
        expect(isinstance(found, list), f"{answer.told()}, which is no list", 'answer {"events": […]}')
        return list(found)

    def left(self, event: Event) -> int:
        """How many tickets the gateway says are available now."""
        answer = self.gateway.ask("GET", event_path(event.id), "of an event on sale")
        needs_path(answer, f"GET {EVENTS}/{{event_id}}")
        return int(field(inside(answer.ok(), "event"), "available_tickets") or 0)

    def book(self, person: Person, event_id: object, case: str = "", **more: Any) -> Answer:
        """One try; `headers` are sent along, and all else stands in the body."""
        headers = more.pop("headers", None) or new_key()
        body = {**self.wish(person), "event_id": event_id, "ticket_count": 1, **more}
        return self.gateway.ask("POST", BOOKINGS, case, token=person.token, body=body, headers=headers)

    def wish(self, person: Person) -> dict[str, str]:
        """Whose booking it is to be, where the body must say so."""
        return {"user_id": person.id} if self.names_user else {}

    def booked(self, person: Person, event: Event, count: int = 1, **more: Any) -> Any:
        """A booking, as the gateway shows it; finds out whether the body must name the user."""
        answer = self.book(person, event.id, ticket_count=count, **more)
        needs_path(answer, f"POST {BOOKINGS}")
        if answer.status in {400, 422} and self.names_user is None and claims_of(person.token).get("sub"):
            self.names_user = True
            answer = self.book(person, event.id, ticket_count=count, **more)
        self.names_user = bool(self.names_user)
        return inside(answer.ok(), "booking")

    def see(self, person: Person, booking_id: str, case: str = "") -> Answer:
        return self.gateway.ask("GET", booking_path(booking_id), case, token=person.token)

    def cancel(self, person: Person, booking_id: str, case: str = "") -> Answer:
        """By whichever way there is."""
        path = booking_path(booking_id)
        ways = (
            ("POST", f"{path}/cancellation"),
            ("POST", f"{path}/cancel"),
            ("POST", f"{path}:cancel"),
            ("DELETE", path),
        )
        for method, way in ways:
            answer = self.gateway.ask(method, way, case, token=person.token)
            if not answer.is_missing or answer.kind.endswith("problem+json"):
                return answer
        return answer


def nobodys_id() -> str:
    """That of no booking and of no event."""
    return str(uuid.uuid4())
