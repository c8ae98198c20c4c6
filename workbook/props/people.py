"""People of lesson 5: who they are, the token that says so, and an event for them to book."""

import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial

import httpx
from access.callers import USER_SERVICE
from access.keys import own_keys
from access.signing import Signer

from workbook.stack import LocalStack

_LIFE = 600  # seconds
_PATIENCE = 30
_EVENT = {"name": "Jazz night", "kind": "concert", "starts_at": "2099-12-31T20:00:00Z", "venue": "Babylon"}


class Person:
    """`id` is the user's. The token is a new one when the last one has lived half its life: a lesson takes longer."""

    def __init__(self, user_id: str, sign_in: Callable[[], tuple[str, float]]) -> None:
        """`sign_in` gives a token, and the seconds that it is good for."""
        self.id = user_id
        self._sign_in = sign_in
        self._token, self._until = "", 0.0

    @property
    def token(self) -> str:
        asked_at = time.monotonic()
        if asked_at >= self._until:
            self._token, life = self._sign_in()
            self._until = asked_at + life / 2
        return self._token

    @property
    def headers(self) -> dict[str, str]:
        """For a request over HTTP."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """For a call over gRPC."""
        return (("authorization", f"Bearer {self.token}"),)


def signed_in(stack: LocalStack, *roles: str) -> Person:
    """Somebody new, with a token as user-service signs it, without the time that a password takes."""
    user_id = str(uuid.uuid4())
    signer = Signer(USER_SERVICE, own_keys(stack.folder / "keys", USER_SERVICE)[0])
    return Person(user_id, lambda: (signer.token(user_id, roles or ["customer"], _LIFE), _LIFE))


def client_of(address: str, **headers: str) -> httpx.AsyncClient:
    """A client of an HTTP server of this machine, whatever proxies its user goes through elsewhere."""
    return httpx.AsyncClient(base_url=f"http://{address}", headers=headers, timeout=_PATIENCE, trust_env=False)


def signed_up(address: str, name: str) -> Person:
    """Registers at the gateway and signs in, as a browser would; the e-mail is a new one each time."""
    account = {"email": f"{name}-{secrets.token_hex(6)}@example.com", "password": secrets.token_urlsafe()}
    with httpx.Client(base_url=f"http://{address}", timeout=_PATIENCE, trust_env=False) as client:
        made = client.post("/v1/users", json={**account, "name": name}).raise_for_status()
    return Person(made.json()["id"], partial(_session, address, account))


def _session(address: str, account: Mapping[str, str]) -> tuple[str, float]:
    with httpx.Client(base_url=f"http://{address}", timeout=_PATIENCE, trust_env=False) as client:
        session = client.post("/v1/sessions", json=account).raise_for_status().json()
    return session["access_token"], session["expires_in"]


async def put_on_sale(stack: LocalStack, capacity: int) -> str:
    """A new event's id; an organiser sends it to the gateway."""
    async with client_of(stack["api-gateway"].address) as client:
        organiser = signed_in(stack, "organiser").headers
        made = await client.post("/v1/events", json={**_EVENT, "capacity": capacity}, headers=organiser)
    return str(made.raise_for_status().json()["id"])


async def sold(stack: LocalStack, event_id: str) -> int:
    """Tickets of an event that are gone, as anybody may see."""
    async with client_of(stack["api-gateway"].address) as client:
        event = (await client.get(f"/v1/events/{event_id}")).raise_for_status().json()
    return int(event["capacity"]) - int(event["available_tickets"])
