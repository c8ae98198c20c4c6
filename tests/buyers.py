"""People at the gateway: who signs in, who puts on sale, who orders."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus

import httpx

from tests.containers import GATEWAY
from tests.waiting import PATIENCE, until
from workbook.compose import ComposeStack

_COME_AGAIN = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
_PASSWORD = "correct horse"
_JAZZ = {"name": "Jazz", "kind": "concert", "starts_at": "2099-12-31T20:00:00Z", "venue": "Babylon", "capacity": 1000}


@contextmanager
def at_the_gateway(stack: ComposeStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{stack.address(GATEWAY)}", timeout=30, trust_env=False) as client:
        yield client


def an_email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def a_customer(gateway: httpx.Client) -> dict[str, str]:
    """The headers of a new one, signed in."""
    account = {"email": an_email(), "password": _PASSWORD}
    done(lambda: gateway.post("/v1/users", json={**account, "name": "Ada"}))
    return signed_in(gateway, **account)


def signed_in(gateway: httpx.Client, email: str, password: str) -> dict[str, str]:
    account = {"email": email, "password": password}
    session = done(lambda: gateway.post("/v1/sessions", json=account)).json()
    return {"Authorization": f"Bearer {session['access_token']}"}


def put_on_sale(gateway: httpx.Client, organiser: dict[str, str]) -> str:
    """The id of a new event."""
    made = done(lambda: gateway.post("/v1/events", json=_JAZZ, headers=organiser))
    return str(made.json()["id"])


def ordered(gateway: httpx.Client, event_id: str, headers: dict[str, str]) -> httpx.Response:
    wish, key = {"event_id": event_id, "ticket_count": 1}, {"Idempotency-Key": uuid.uuid4().hex}
    return done(lambda: gateway.post("/v1/bookings", json=wish, headers=headers | key))


def done(ask: Callable[[], httpx.Response], patience: float = PATIENCE) -> httpx.Response:
    """The answer; whoever is told to come again, or reaches nobody for a while, does come again."""
    answers: list[httpx.Response] = []

    def answered() -> bool:
        with suppress(httpx.TransportError):
            answers.append(ask())
            return answers[-1].status_code not in _COME_AGAIN
        return False

    until(answered, patience)
    return answers[-1]
