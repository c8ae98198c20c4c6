"""People of lesson 5: who they are, the token that says so, and an event for them to book."""

import secrets
import uuid
from dataclasses import dataclass

import httpx
from access.callers import USER_SERVICE
from access.keys import own_keys
from access.signing import Signer

from workbook.stack import LocalStack

_LIFE = 3600  # seconds: a lesson's section takes longer than the ten minutes of a real token
_PATIENCE = 30
_EVENT = {"name": "Jazz night", "kind": "concert", "starts_at": "2099-12-31T20:00:00Z", "venue": "Babylon"}


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    token: str

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
    return Person(user_id, signer.token(user_id, roles or ["customer"], _LIFE))


def client_of(address: str, **headers: str) -> httpx.AsyncClient:
    """A client of an HTTP server of this machine, whatever proxies its user goes through elsewhere."""
    return httpx.AsyncClient(base_url=f"http://{address}", headers=headers, timeout=_PATIENCE, trust_env=False)


async def signed_up(address: str, name: str) -> Person:
    """Registers at the gateway and signs in, as a browser would; the e-mail is a new one each time."""
    account = {"email": f"{name}-{secrets.token_hex(6)}@example.com", "password": secrets.token_urlsafe()}
    async with client_of(address) as client:
        (await client.post("/v1/users", json={**account, "name": name})).raise_for_status()
        session = (await client.post("/v1/sessions", json=account)).raise_for_status().json()
    return Person(session["user"]["id"], session["access_token"])


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
