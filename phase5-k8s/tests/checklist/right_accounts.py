"""Accounts and sessions as a gateway should have them, in memory."""

import secrets
import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.checklist.refusals import Refusal
from tests.checklist.right_tokens import Tokens

TRIES = 5


class Accounts:
    tokens: type[Tokens] = Tokens
    shortest = 8
    fields = ("email", "password", "name")

    def __init__(self) -> None:
        self.signing = self.tokens()
        self._users: dict[str, dict[str, Any]] = {}
        self._wrong: Counter[str] = Counter()
        self._sessions: dict[str, str] = {}
        self._lock = threading.Lock()

    def register(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._check(body)
        email = body["email"]
        user = {"id": str(uuid.uuid4()), "email": email, "name": body["name"], "roles": self.roles(body)}
        with self._lock:
            if email not in self._users or self.replaces():
                self._users[email] = {**user, "password": body["password"]}
        return user

    def roles(self, body: Mapping[str, Any]) -> list[str]:
        del body  # nobody says of themselves what they may
        return ["customer"]

    def replaces(self) -> bool:
        return False

    def log_in(self, body: Mapping[str, Any]) -> dict[str, Any]:
        email, password = str(body.get("email")), body.get("password")
        if not body:
            raise Refusal(422, "INVALID_FIELD", "email: is missing")
        user = self._users.get(email)
        if self._wrong[email] >= TRIES:
            raise self.slow_down()
        if user is None or user["password"] != password:
            self._wrong[email] += 1
            raise self.wrong(known=user is not None)
        return self.session(user)

    def slow_down(self) -> Refusal:
        return Refusal(429, "TOO_MANY_TRIES", "wait", {"Retry-After": "30"})

    def wrong(self, *, known: bool) -> Refusal:
        del known
        return Refusal(401, "WRONG_PASSWORD", "e-mail or password is wrong")

    def session(self, user: Mapping[str, Any]) -> dict[str, Any]:
        refresh = secrets.token_urlsafe()
        self._sessions[refresh] = str(user["email"])
        token = self.signing.made(str(user["id"]), list(user["roles"]))
        shown = {name: value for name, value in user.items() if name != "password"}
        return {"access_token": token, "token_type": "Bearer", "refresh_token": refresh, "user": shown}

    def refresh(self, body: Mapping[str, Any]) -> dict[str, Any]:
        email = self.used(str(body.get("refresh_token")))
        if email is None:
            raise Refusal(401, "INVALID_TOKEN", "that session is over")
        return self.session(self._users[email])

    def used(self, token: str) -> str | None:
        return self._sessions.pop(token, None)

    def _check(self, body: Mapping[str, Any]) -> None:
        if any(not isinstance(body.get(name), str) or not body[name] for name in self.fields):
            raise Refusal(422, "INVALID_FIELD", "email, password or name is missing")
        if set(body) - set(self.fields) and not self.is_lax():
            raise Refusal(422, "INVALID_FIELD", "there is a field that nobody knows")
        if len(body["password"]) < self.shortest:
            raise Refusal(422, "INVALID_FIELD", "password: must be 8 to 128 characters")

    def is_lax(self) -> bool:
        return False
