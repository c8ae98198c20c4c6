"""What a gateway can get wrong with accounts, sessions and tokens, a mistake each or a few of a kind."""

import time
from collections.abc import Mapping
from typing import Any

from tests.checklist.door import Request
from tests.checklist.refusals import Refusal
from tests.checklist.right_accounts import Accounts
from tests.checklist.right_gateway import NOBODY, Caller, RightGateway
from tests.checklist.right_tokens import PUBLIC_KEYS, SECRET, Tokens


class _Accounts(Accounts):
    """Takes what it does not know, as most do."""

    def is_lax(self) -> bool:
        return True


class TellsWhoHasAnAccount(RightGateway):
    class accounts(_Accounts):  # noqa: N801 - the part it replaces
        def wrong(self, *, known: bool) -> Refusal:
            return super().wrong(known=known) if known else Refusal(404, "NO_SUCH_USER", "nobody has this e-mail")


class TellsItInItsReason(RightGateway):
    class accounts(_Accounts):  # noqa: N801 - as above
        def wrong(self, *, known: bool) -> Refusal:
            return Refusal(401, "WRONG_PASSWORD" if known else "NO_SUCH_USER", "e-mail or password is wrong")


class GivesAccountsAway(RightGateway):
    """It writes over what is there, and takes passwords of any length."""

    class accounts(_Accounts):  # noqa: N801 - as above
        shortest = 1

        def replaces(self) -> bool:
            return True


class BelievesRoles(RightGateway):
    class accounts(_Accounts):  # noqa: N801 - as above
        def roles(self, body: Mapping[str, Any]) -> list[str]:
            return list(body.get("roles", ["customer"]))


class RefreshesForEver(RightGateway):
    class accounts(_Accounts):  # noqa: N801 - as above
        def used(self, token: str) -> str | None:
            return self._sessions.get(token)


class LetsGuess(RightGateway):
    """And it shows passwords to who has them."""

    class accounts(_Accounts):  # noqa: N801 - as above
        def log_in(self, body: Mapping[str, Any]) -> dict[str, Any]:
            self._wrong.clear()
            session = super().log_in(body)
            return {**session, "user": {**session["user"], "password": body["password"]}}


class SaysNotHowLong(RightGateway):
    """Neither to who guesses, nor to who asks too often."""

    class accounts(_Accounts):  # noqa: N801 - as above
        def slow_down(self) -> Refusal:
            return Refusal(429, "TOO_MANY_TRIES", "wait")

    def when(self) -> dict[str, str]:
        return {}


class GivesNoToken(RightGateway):
    class accounts(_Accounts):  # noqa: N801 - as above
        def session(self, user: Mapping[str, Any]) -> dict[str, Any]:
            return {"user": {**user}, "refresh_token": "", "access_token": ""}


class VerifiesNothing(Tokens):
    def is_signed(self, head: dict[str, Any], unsigned: str, signed: str) -> bool:
        del head, unsigned, signed
        return True


class VerifiesNoSignature(RightGateway):
    class accounts(Accounts):  # noqa: N801 - as above
        tokens = VerifiesNothing


class TakesNone(Tokens):
    """The token says how it is to be verified."""

    def is_signed(self, head: dict[str, Any], unsigned: str, signed: str) -> bool:
        return head["alg"] == "none" or super().is_signed(head, unsigned, signed)


class TakesTheAlgorithmNone(RightGateway):
    class accounts(Accounts):  # noqa: N801 - as above
        tokens = TakesNone


class ManySecrets(Tokens):
    secrets = (SECRET, b"secret", PUBLIC_KEYS.encode())


class KeepsExampleSecrets(RightGateway):
    """And its library takes the public key for a secret."""

    class accounts(Accounts):  # noqa: N801 - as above
        tokens = ManySecrets


class NeverEnding(Tokens):
    def claims(self, user: str, roles: list[str]) -> dict[str, Any]:
        return {"sub": user, "roles": roles}

    def is_in_time(self, claims: dict[str, Any]) -> bool:
        del claims
        return True


class TokensForLife(RightGateway):
    class accounts(Accounts):  # noqa: N801 - as above
        tokens = NeverEnding


class NeverLooked(Tokens):
    def claims(self, user: str, roles: list[str]) -> dict[str, Any]:
        return {"sub": user, "roles": roles, "exp": time.time() + 1}

    def is_in_time(self, claims: dict[str, Any]) -> bool:
        del claims
        return True


class LooksAtNoEnd(RightGateway):
    class accounts(Accounts):  # noqa: N801 - as above
        tokens = NeverLooked


class BelievesHeaders(RightGateway):
    """A proxy before it was to set them."""

    def caller(self, request: Request) -> Caller:
        claimed = request.headers.get("x-user-id", "")
        token = request.query.get("access_token", "")
        if token:
            return self.people.signing.read(token) or NOBODY
        return {"sub": claimed, "roles": []} if claimed else super().caller(request)


class BelievesRolesInHeaders(RightGateway):
    def caller(self, request: Request) -> Caller:
        if request.headers.get("x-roles") == "admin" and "authorization" not in request.headers:
            return {"sub": "", "roles": ["organiser"]}
        return super().caller(request)

    def known(self, request: Request, caller: Caller) -> Caller:
        if request.path.startswith("/v1/bookings") and not caller.get("sub"):
            caller = NOBODY
        return super().known(request, caller)

    def body(self, request: Request) -> dict[str, Any]:
        return {"capacity": 1, **super().body(request)} if request.path == "/v1/events" else super().body(request)


class AsksNobody(RightGateway):
    """Whoever has no token is taken for the first who had one."""

    def __init__(self) -> None:
        super().__init__()
        self._first = NOBODY

    def caller(self, request: Request) -> Caller:
        caller = super().caller(request)
        if request.path.startswith("/v1/bookings") and caller and not self._first:
            self._first = caller
        return caller

    def known(self, request: Request, caller: Caller) -> Caller:
        return caller or self._first or {"sub": "somebody"}
