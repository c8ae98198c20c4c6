"""Who comes to the gateway: accounts of the checks' own, or whoever has the token in TICKETS_TOKEN."""

import base64
import json
import secrets
import time
from dataclasses import dataclass, replace
from typing import Any

from checklist.asking import Answer, field, inside
from checklist.client import fresh
from checklist.gateway import ADDITION, SESSIONS, USERS, Gateway

from workbook.checks.verdict import expect, not_run

LONGEST_WAIT = 65  # seconds for a gateway that has had enough of sign-ins, such as those of a run just before
_NEEDS_ACCOUNTS = f"needs POST {USERS} and POST {SESSIONS}: {ADDITION}"


@dataclass(frozen=True, slots=True)
class Person:
    """`id` is what the token says of who it is, "" where it says nothing."""

    token: str
    id: str = ""
    email: str = ""
    password: str = ""
    session: Any = None


class People:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._accounts: bool | None = None

    @property
    def have_accounts(self) -> bool:
        if self._accounts is None:
            asked = [self._gateway.ask("POST", path, "with nothing in it", body={}) for path in (USERS, SESSIONS)]
            self._accounts = not any(answer.is_missing for answer in asked)
        return self._accounts

    def needs_accounts(self) -> None:
        """Ends the check without a verdict where nobody can register."""
        if not self.have_accounts:
            not_run(_NEEDS_ACCOUNTS)

    def somebody(self) -> Person:
        """A new customer; where there are no accounts, whoever has the token that was given."""
        if self.have_accounts:
            return self.new()
        if self._gateway.system.token is None:
            not_run(f"needs a customer: a token in TICKETS_TOKEN, or POST {USERS} and POST {SESSIONS}: {ADDITION}")
        token = self._gateway.system.token()
        return Person(token, str(claims_of(token).get("sub", "")))

    def new(self) -> Person:
        """A customer who has just registered and logged in."""
        self.needs_accounts()
        person = self.registered()
        session = self.logged_in(person).ok()
        token = token_in(session)
        return replace(person, token=token, id=str(claims_of(token).get("sub", "")), session=session)

    def registered(self) -> Person:
        person = Person("", email=f"{fresh('user')}@example.com", password=secrets.token_urlsafe(12))
        self._patiently(USERS, {"email": person.email, "password": person.password, "name": "Check"}).ok()
        return person

    def logged_in(self, person: Person, case: str = "") -> Answer:
        return self._patiently(SESSIONS, {"email": person.email, "password": person.password}, case)

    def guessed(self, person: Person) -> Answer:
        """A login that is expected to fail, and does not wait."""
        wish = {"email": person.email, "password": person.password}
        return self._gateway.ask("POST", SESSIONS, "with a wrong password", body=wish)

    def _patiently(self, path: str, body: object, case: str = "") -> Answer:
        """Once more where it was asked for too often, after the time that it names."""
        answer = self._gateway.ask("POST", path, case, body=body)
        wait = answer.headers.get("retry-after", "")
        if answer.status == 429 and wait.isdecimal() and int(wait) <= LONGEST_WAIT:
            time.sleep(int(wait) + 0.1)
            answer = self._gateway.ask("POST", path, case, body=body)
        return answer


def token_in(session: Any) -> str:
    """The token that a login gives."""
    known = [field(inside(session, "session"), name) for name in ("access_token", "token", "id_token", "jwt")]
    found = next((str(token) for token in known if token), "")
    expect(found, f"POST {SESSIONS} answered no access_token", "answer {access_token, token_type, expires_in, …}")
    return found


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, unverified; {} for any other token."""
    try:
        payload = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
