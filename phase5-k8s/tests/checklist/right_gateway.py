"""A gateway as it should be, in memory: each part of it can be replaced by a wrong one."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.checklist.door import JSON, STREAM, Reply, Request
from tests.checklist.refusals import Refusal
from tests.checklist.right_accounts import Accounts
from tests.checklist.right_contract import DOCUMENT
from tests.checklist.right_sales import Sales
from tests.checklist.right_tokens import PUBLIC_KEYS

LARGEST = 65_536
Caller = Mapping[str, Any]
NOBODY: Caller = {}


class RightGateway:
    accounts: type[Accounts] = Accounts
    sales: type[Sales] = Sales
    limit = 170  # requests of a user: no check but the one that asks too often sends more
    headers: Mapping[str, str] = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }

    def __init__(self) -> None:
        self.people = self.accounts()
        self.shop = self.sales()
        self.asked: Counter[str] = Counter()

    def answer(self, request: Request) -> Reply:
        try:
            reply = self.handled(request)
        except Refusal as refusal:
            reply = self.refused(refusal)
        return self.guarded(request, reply)

    def handled(self, request: Request) -> Reply:
        caller = self.caller(request)
        self.count(request, caller)
        return self.routed(request, caller)

    def refused(self, refusal: Refusal) -> Reply:
        reply = refusal.reply()
        if refusal.status == 401:
            reply.headers["WWW-Authenticate"] = "Bearer"
        return reply

    def guarded(self, request: Request, reply: Reply) -> Reply:
        del request
        policy = {"RateLimit-Policy": f'"user";q={self.limit};w=60'}
        reply.headers = {**self.headers, **policy, **reply.headers}
        return reply

    def caller(self, request: Request) -> Caller:
        written = request.headers.get("authorization", "")
        if not written:
            return NOBODY
        claims = self.people.signing.read(written.removeprefix("Bearer "))
        if claims is None:
            raise Refusal(401, "INVALID_TOKEN", "the token is not valid")
        return claims

    def count(self, request: Request, caller: Caller) -> None:
        """Strangers are not counted here: all of a proof's come from one address."""
        name = self.counted(request, caller)
        self.asked[name] += 1
        if name and self.asked[name] > self.limit:
            raise Refusal(429, "TOO_MANY_REQUESTS", "wait", self.when())

    def counted(self, request: Request, caller: Caller) -> str:
        del request
        return str(caller.get("sub", ""))

    def when(self) -> dict[str, str]:
        return {"Retry-After": "60"}

    def routed(self, request: Request, caller: Caller) -> Reply:
        match (request.method, *request.path.strip("/").split("/")):
            case ["GET", "healthz"]:
                return Reply(200, {"status": "alive"})
            case ["GET", "openapi.json"]:
                return Reply(200, self.document())
            case ["GET", ".well-known", "jwks.json"]:
                return Reply(200, PUBLIC_KEYS)
            case [_, "v1", "users" | "sessions", *_]:
                return self.about_people(request)
            case [_, "v1", "events", *_]:
                return self.about_events(request, caller)
            case [_, "v1", "bookings", *_]:
                return self.about_bookings(request, self.known(request, caller))
        raise Refusal(404, "NO_SUCH_PAGE", "there is nothing here")

    def document(self) -> Any:
        return DOCUMENT

    def about_people(self, request: Request) -> Reply:
        match (request.method, request.path):
            case ("POST", "/v1/users"):
                return Reply(201, self.people.register(self.body(request)))
            case ("POST", "/v1/sessions"):
                return Reply(201, self.people.log_in(self.body(request)))
            case ("POST", "/v1/sessions/refresh"):
                return Reply(200, self.people.refresh(self.body(request)))
        raise self.no_such_method("POST")

    def about_events(self, request: Request, caller: Caller) -> Reply:
        match (request.method, *request.path.split("/")[3:]):
            case ["GET"]:
                return Reply(200, {"events": self.shop.listed()})
            case ["POST"]:
                return self.put_on_sale(request, caller)
            case ["GET", event_id]:
                return Reply(200, self.shop.event(event_id))
            case ["GET", event_id, "availability"]:
                event = self.shop.event(event_id)
                return Reply(kind=STREAM, pieces=self.told(str(event["id"])))
        raise self.no_such_method("GET, POST")

    def put_on_sale(self, request: Request, caller: Caller) -> Reply:
        if "organiser" not in self.known(request, caller).get("roles", ()):
            raise Refusal(403, "FORBIDDEN", "this is for organisers")
        return Reply(201, self.shop.put_on_sale(self.body(request)))

    def told(self, event_id: str) -> Iterator[str]:
        for left in self.shop.watch(event_id):
            yield f"event: availability\ndata: {json.dumps({'event_id': event_id, 'available': left})}\n\n"

    def about_bookings(self, request: Request, caller: Caller) -> Reply:
        user = str(caller["sub"])
        match (request.method, *request.path.split("/")[3:]):
            case ["GET"]:
                return Reply(200, {"bookings": self.listed(request, user)})
            case ["POST"]:
                key = request.headers.get("idempotency-key", "")
                return Reply(201, self.shop.book(user, self.body(request), key))
            case ["GET", booking_id]:
                return Reply(200, self.shop.booking(user, booking_id))
            case ["POST", booking_id, "cancellation"]:
                return Reply(200, self.shop.cancel(user, booking_id))
        raise self.no_such_method("GET, POST")

    def listed(self, request: Request, user: str) -> Any:
        del request
        return self.shop.of_user(user)

    def known(self, request: Request, caller: Caller) -> Caller:
        del request
        if not caller:
            raise Refusal(401, "NO_TOKEN", "this needs a token")
        return caller

    def body(self, request: Request) -> dict[str, Any]:
        if request.size > LARGEST:
            raise self.too_large(request)
        try:
            content = json.loads(request.read())
        except (ValueError, RecursionError):
            raise self.malformed() from None
        if request.headers.get("content-type") != JSON or not isinstance(content, dict):
            raise Refusal(422, "INVALID_FIELD", "the body is no object")
        return content

    def too_large(self, request: Request) -> Refusal:
        del request
        return Refusal(413, "BODY_TOO_LARGE", "at most 64 KiB")

    def malformed(self) -> Refusal:
        return Refusal(400, "MALFORMED_JSON", "the body is not JSON")

    def no_such_method(self, allowed: str) -> Refusal:
        return Refusal(405, "METHOD_NOT_ALLOWED", "this cannot be done here", {"Allow": allowed})
