"""The client of `event.EventService`."""

import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from checklist.client import Answer, Client, Request, fresh
from checklist.contract import Contract
from checklist.reflection import Served

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

CAPACITY = 10
_IN_A_YEAR = 365 * 24 * 3600


def some_day() -> Request:
    """A moment at least a year ahead that hardly any other event has, as a Timestamp's fields."""
    return {"seconds": int(time.time()) + _IN_A_YEAR + secrets.randbelow(20 * _IN_A_YEAR)}


def description(**given: Any) -> dict[str, Any]:
    """What CreateEvent is sent: an event that nobody else has, with CAPACITY tickets."""
    kept = {"name": fresh("event"), "kind": "concert", "starts_at": some_day(), "venue": fresh("venue")}
    return {**kept, "capacity": CAPACITY, **given}


class Events(Client):
    """The calls of the checks, by their everyday names."""

    def __init__(self, system: System, name: str, contract: Contract, channel: grpc.Channel, served: Served) -> None:
        super().__init__(system, name, contract, channel, served)
        self.reserved: set[str] = set()  # the ids of bookings that nobody made: the checks reserved for them directly

    def needs_method(self, *methods: str) -> None:
        """Ends the check without a verdict if the server lacks methods that this workbook adds."""
        for method in methods:
            request = self.contract.request(method)
            if set(self.additions[request]) != set(self.contract.additions[request]):
                not_run(f"needs {method}: an addition to the roadmap, see proto/event.proto")

    def has(self, message: str, field: str) -> bool:
        return field in self.additions[message]

    def create(self, case: str = "", **given: Any) -> Answer:
        return self.call("CreateEvent", case, **description(**given))

    def made(self, **given: Any) -> Any:
        """A new event."""
        return self.create(**given).ok().event

    def get(self, event_id: str, case: str = "") -> Answer:
        return self.call("GetEvent", case, event_id=event_id)

    def left(self, event_id: str) -> int:
        """How many tickets GetEvent says are available now."""
        return int(self.get(event_id).ok().event.available_tickets)

    def change(self, event_id: str, change: int, case: str = "", operation: str = "") -> Answer:
        """Adds or withdraws tickets; with an operation id of its own where the server knows them."""
        known = self.has("UpdateTicketsRequest", "operation_id")
        more = {"operation_id": operation or str(uuid.uuid4())} if known else {}
        return self.call("UpdateAvailableTickets", case, event_id=event_id, change=change, **more)

    def reserve(self, event_id: str, count: int, booking: str = "", case: str = "") -> Answer:
        wish = {"booking_id": booking or str(uuid.uuid4()), "event_id": event_id, "ticket_count": count}
        return self.call("ReserveTickets", case, **wish)

    def release(self, booking: str, case: str = "") -> Answer:
        return self.call("ReleaseTickets", case, booking_id=booking)

    def page(self, case: str = "", **wanted: Any) -> Answer:
        return self.call("ListEvents", case, **wanted)

    def listed(self, **wanted: Any) -> list[Any]:
        """All events that are wanted, page by page where the server has pages."""
        found: list[Any] = []
        seen: set[str] = set()
        token = ""
        while True:
            page = self.page(**wanted, **({"page_token": token} if token else {})).ok()
            token = getattr(page, "next_page_token", "")
            found += page.events
            if not token:
                return found
            ids = {event.id for event in page.events}
            expect(ids - seen, "ListEvents has a next page, and nothing new on it", "leave next_page_token empty then")
            seen |= ids

    def of_venue(self, venue: str) -> list[Any]:
        """All events of a venue, by the server's own filter where it has one."""
        wanted = {"venue": venue} if self.has("ListEventsRequest", "venue") else {}
        return [event for event in self.listed(**wanted) if event.venue == venue]

    def _start(self, method: str, request: Request, patience: float) -> Any:
        if method == "ReserveTickets":
            self.reserved.add(request["booking_id"])
        return super()._start(method, request, patience)

    @contextmanager
    def watched(self, event_id: str) -> Iterator[Any]:
        """The stream of an event's availability; leaving the block ends it, as a client does that leaves."""
        request = self._messages[self.contract.request("WatchAvailability")]
        call: Any = self.channel.unary_stream(
            f"/{self.contract.service}/WatchAvailability",
            request_serializer=request.SerializeToString,
            response_deserializer=self._messages[self.contract.response("WatchAvailability")].FromString,
        )
        stream = call(request(event_id=event_id), timeout=self.system.within)
        try:
            yield stream
        finally:
            stream.cancel()
