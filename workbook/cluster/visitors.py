"""People who come through the gateway: over HTTP, as a browser would, with patience and one key for each booking."""

import secrets
import time
import uuid
from typing import Any

import httpx

_PATIENCE = 60.0  # seconds for one request to succeed, with all its tries
_AGAIN = frozenset({409, 429, 502, 503, 504})  # ABORTED, too many, or somebody is away: the same may go through later
_PASSWORD = secrets.token_urlsafe(16)


class Unexpected(Exception):
    """The gateway answered what it should not; the text says what."""


class Visitor:
    """One person: first a stranger, then logged in."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10)

    def asks(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        """The answer's JSON. Tries again while it is told to, or the connection breaks; raises Unexpected."""
        deadline, said = time.monotonic() + _PATIENCE, ""
        while time.monotonic() < deadline:
            try:
                answer = self._client.request(method, path, json=body, headers={"Idempotency-Key": key} if key else {})
            except httpx.TransportError as problem:
                said, pause = str(problem), 0.2
            else:
                if answer.is_success:
                    return answer.json() if answer.content else None
                said = f"{answer.status_code} {answer.text}"
                if answer.status_code not in _AGAIN:
                    break
                pause = min(float(answer.headers.get("Retry-After", 0.2)), 5)
            time.sleep(pause)
        raise Unexpected(f"{method} {path}: {said}")

    def is_refused(self, method: str, path: str, body: object, status: int) -> bool:
        return self._client.request(method, path, json=body, headers={"Idempotency-Key": "one"}).status_code == status

    def logs_in(self, email: str, password: str) -> None:
        session = self.asks("POST", "/v1/sessions", {"email": email, "password": password})
        self._client.headers["Authorization"] = f"Bearer {session['access_token']}"

    def joins(self) -> None:
        """Registers under a new name, and logs in."""
        email = f"{uuid.uuid4().hex}@example.com"
        self.asks("POST", "/v1/users", {"email": email, "password": _PASSWORD, "name": "Visitor"})
        self.logs_in(email, _PASSWORD)

    def books(self, event_id: str) -> str:
        """The id of a confirmed booking of one ticket; however often it had to ask, it is one."""
        booking = self.asks("POST", "/v1/bookings", {"event_id": event_id, "ticket_count": 1}, key=uuid.uuid4().hex)
        if booking["status"] != "CONFIRMED":
            raise Unexpected(f"a booking is {booking['status']}: {booking['reason']}")
        return str(booking["id"])


def smoke(url: str) -> None:
    """It is ready, shows what is sold, and sells nothing to strangers; raises Unexpected."""
    stranger = Visitor(url)
    stranger.asks("GET", "/readyz")
    if not isinstance(stranger.asks("GET", "/v1/events").get("events"), list):
        raise Unexpected("/v1/events lists no events")
    if not stranger.is_refused("POST", "/v1/bookings", {"event_id": str(uuid.uuid4()), "ticket_count": 1}, 401):
        raise Unexpected("a stranger may book")
