"""Limits on requests: by user where a token says who it is, else by address; signing in always by address."""

from http import HTTPStatus

from access.callers import Caller
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.addresses import Addresses
from api_gateway.config import GatewaySettings
from api_gateway.problems import Problem
from api_gateway.windows import Policy, Taken, Windows

FREE = frozenset({"/healthz", "/readyz", "/openz"})
_SIGNING_IN = frozenset({("POST", path) for path in ("/v1/users", "/v1/sessions", "/v1/sessions/refresh")})


class Limits:
    """Stands before the routes; the headers are those of draft-ietf-httpapi-ratelimit-headers."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings, windows: Windows, addresses: Addresses) -> None:
        self._app = app
        self._windows = windows
        self._addresses = addresses
        self._user = Policy.of("user", settings.user_rate)
        self._address = Policy.of("address", settings.address_rate)
        self._sign_in = Policy.of("sign-in", settings.sign_in_rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in FREE:
            await self._app(scope, receive, send)
            return
        taken = await self._windows.take(*self._counted(scope))
        if not taken.allowed:
            raise _too_many(taken)
        headers = headers_of(taken)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, told)

    def _counted(self, scope: Scope) -> tuple[Policy, str]:
        if (scope["method"], scope["path"]) in _SIGNING_IN:  # a token of one's own shall not buy guesses at others'
            return self._sign_in, self._addresses.counted(scope)
        caller: Caller = scope["state"]["caller"]
        return (self._user, caller.id) if caller.known else (self._address, self._addresses.counted(scope))


def headers_of(taken: Taken) -> dict[str, str]:
    policy = taken.policy
    return {
        "RateLimit-Policy": f'"{policy.name}";q={policy.amount};w={policy.seconds}',
        "RateLimit": f'"{policy.name}";r={taken.remaining};t={taken.more_in}',
    }


def _too_many(taken: Taken) -> Problem:
    policy = taken.policy
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "TOO_MANY_REQUESTS",
        f"at most {policy.amount:,} requests in {policy.seconds} s; try again in {taken.more_in} s",
        headers={**headers_of(taken), "Retry-After": str(taken.more_in)},
    )
