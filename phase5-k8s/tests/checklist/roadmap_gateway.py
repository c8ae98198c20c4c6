"""A gateway that has the roadmap and nothing else, as gRPC-Gateway would make it of the services' `.proto` files.

Messages inside messages, names inCamelCase, `user_id` in the body, refusals as google.rpc.Status; a token that another
program gave out; a limit by address. No accounts, no keys, no document, no streams.
"""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.checklist.door import JSON, Reply, Request
from tests.checklist.right_tokens import Tokens

UNAUTHENTICATED, INVALID, NOT_FOUND, PRECONDITION, EXHAUSTED, UNIMPLEMENTED = 16, 3, 5, 9, 8, 12
STATUSES = {UNAUTHENTICATED: 401, INVALID: 400, NOT_FOUND: 404, PRECONDITION: 400, EXHAUSTED: 429, UNIMPLEMENTED: 501}
LIMIT = 900  # requests of an address in an hour: no proof is so slow that it starts anew
WINDOW = 3600.0

Thing = dict[str, Any]


class Status(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class RoadmapGateway:
    def __init__(self) -> None:
        self._events: dict[str, Thing] = {}
        self._bookings: dict[str, Thing] = {}
        self._window, self._asked = 0.0, 0

    def answer(self, request: Request) -> Reply:
        try:
            self._count()
            return Reply(200, self._routed(request))
        except Status as refusal:
            content = {"code": refusal.code, "message": str(refusal), "details": []}
            return Reply(STATUSES[refusal.code], content)

    def _count(self) -> None:
        now = time.monotonic() // WINDOW
        self._asked = self._asked + 1 if now == self._window else 1
        self._window = now
        if self._asked > LIMIT:
            raise Status(EXHAUSTED, "rate limit exceeded")

    def _routed(self, request: Request) -> Thing:
        match (request.method, *request.path.strip("/").split("/")):
            case ["GET", "v1", "events"]:
                return {"events": list(self._events.values())}
            case ["GET", "v1", "events", event_id]:
                return {"event": _there(self._events, event_id)}
            case ["POST", "v1", "events"]:
                return self._signed_in(request, self._create_event)
            case ["POST", "v1", "bookings"]:
                return self._signed_in(request, self._create_booking)
            case ["GET", "v1", "bookings", booking_id]:
                return self._signed_in(request, lambda _body: {"booking": _there(self._bookings, booking_id)})
            case ["DELETE", "v1", "bookings", booking_id]:
                return self._signed_in(request, lambda _body: self._cancel(booking_id))
            case [_, "v1", "events" | "bookings"]:
                raise Status(UNIMPLEMENTED, "Method Not Allowed")
        raise Status(NOT_FOUND, "Not Found")

    def _signed_in(self, request: Request, do: Callable[[Thing], Thing]) -> Thing:
        claims = Tokens().read(request.headers.get("authorization", "").removeprefix("Bearer "))
        if claims is None:
            raise Status(UNAUTHENTICATED, "missing or invalid token")
        body = _message(request.read()) if request.method == "POST" else {}
        if "userId" in body and body["userId"] != claims["sub"]:
            raise Status(NOT_FOUND, "no such user")
        return do(body)

    def _create_event(self, body: Thing) -> Thing:
        event = {"id": str(uuid.uuid4()), "availableTickets": body.get("capacity", 0), **body}
        self._events[event["id"]] = event
        return {"event": event}

    def _create_booking(self, body: Thing) -> Thing:
        count = body.get("ticketCount", 0)
        if not body.get("userId") or type(count) is not int or not 1 <= count < 2**31:
            raise Status(INVALID, "user_id and ticket_count are needed")
        event = _there(self._events, body.get("eventId"))
        if event["availableTickets"] < count:
            raise Status(PRECONDITION, "not enough tickets")
        event["availableTickets"] -= count
        booking = {"id": str(uuid.uuid4()), **{name: body[name] for name in ("userId", "eventId", "ticketCount")}}
        self._bookings[booking["id"]] = {**booking, "status": "CONFIRMED"}
        return {"booking": self._bookings[booking["id"]]}

    def _cancel(self, booking_id: str) -> Thing:
        booking = _there(self._bookings, booking_id)
        if booking["status"] == "CONFIRMED":
            self._events[booking["eventId"]]["availableTickets"] += booking["ticketCount"]
            booking["status"] = "CANCELLED"
        return {"success": True}


def _there(things: dict[str, Thing], name: Any) -> Thing:
    if not isinstance(name, str):
        raise Status(INVALID, "an id is a text")
    if name not in things:
        raise Status(NOT_FOUND, "not found")
    return things[name]


def _message(raw: bytes) -> Thing:
    """A message from JSON, in whose names underlines are as good as capitals."""
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise Status(INVALID, "invalid JSON") from None
    if not isinstance(body, dict):
        raise Status(INVALID, f"a message is an object, as {JSON} has it")
    return {_camel(name): value for name, value in body.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
