"""Who is asking: what the token says. The services verify it again; here it is for limits, and for "me"."""

import re
from http import HTTPStatus

from access.callers import NOBODY, Caller, NotAuthenticated
from access.verifying import Verifier
from chassis.errors import ServiceError, Unavailable
from starlette.requests import Request
from starlette.types import Scope

from api_gateway.problems import Problem

_BEARER = re.compile(r"[Bb]earer ([A-Za-z0-9._~+/=-]{1,4096})")
_SINGLE = frozenset(
    {b"authorization", b"content-length", b"content-type", b"host", b"idempotency-key", b"transfer-encoding"}
)


def check_headers(scope: Scope) -> None:
    """Raises Problem where a header is there twice that must not be: who reads the first and who the last disagree."""
    seen = [name for name, _ in scope["headers"] if name in _SINGLE]
    if len(seen) != len(set(seen)):
        raise Problem(HTTPStatus.BAD_REQUEST, "REPEATED_HEADER", "a header is there twice that may be there once")
    if b"host" not in seen and scope["http_version"] == "1.1":
        raise Problem(HTTPStatus.BAD_REQUEST, "NO_HOST", "a request needs a Host header")


class Callers:
    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    async def note(self, scope: Scope) -> None:
        """Puts into the state: `authorization` as the services get it, `caller`, and why nobody is known."""
        state = scope["state"]
        written = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
        state["authorization"], state["caller"], state["unknown"] = "", NOBODY, None
        if not written:
            return
        bearer = _BEARER.fullmatch(written)
        if bearer is None:
            raise invalid_token("write one header: Authorization: Bearer TOKEN")
        state["authorization"] = f"Bearer {bearer[1]}"
        try:
            state["caller"] = await self._verifier.caller(bearer[1])
        except (NotAuthenticated, Unavailable) as refusal:
            state["unknown"] = refusal


def caller_of(request: Request) -> Caller:
    """Who is asking; raises the refusal that a request without a good token gets."""
    state = request.scope["state"]
    caller: Caller = state["caller"]
    if caller.known:
        return caller
    refusal: ServiceError | None = state["unknown"]
    raise refusal or NotAuthenticated("this needs a token: Authorization: Bearer TOKEN")


def invalid_token(detail: str) -> Problem:
    challenge = {"WWW-Authenticate": 'Bearer realm="tickets", error="invalid_token"'}
    return Problem(HTTPStatus.UNAUTHORIZED, "INVALID_TOKEN", detail, headers=challenge)
