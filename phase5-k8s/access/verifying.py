"""Tokens are verified here: whose key, which algorithm, for whom, until when; all of it, every time."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError

from access.callers import Caller, InvalidToken, TokenExpired
from access.keys import ALGORITHM, Keys, TrustedKey
from access.signing import AUDIENCE, TYPE

MAX_TOKEN = 4096  # characters; ours have some 500, and whatever is longer is not even taken apart
_REMEMBERED = 4096  # tokens
_FOR = 30.0  # seconds: a key that is taken back counts no longer than that

Claims = Mapping[str, Any]


class Verifier:
    """Says who a token's bearer is. `leeway` is how many seconds clocks may differ; `now` is the time since 1970.

    A token that was right a moment ago is not verified again: signatures cost more than everything else in a call.
    """

    def __init__(self, keys: Keys, *, leeway: int = 30, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._leeway = leeway
        self._now = now
        self._claims = jwt.JWTClaimsRegistry(
            lambda: int(now()),
            leeway,
            iss={"essential": True},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        self._known: dict[str, tuple[Caller, float]] = {}

    async def caller(self, token: str) -> Caller:
        """Raises InvalidToken, TokenExpired, and Unavailable while the keys are not there."""
        known = self._known.get(token)
        if known is not None and self._now() < known[1]:
            return known[0]
        self._known.pop(token, None)
        trusted = await self._key_of(token)
        claims = self._checked(token, trusted)
        found = Caller(claims["sub"], frozenset(claims["roles"]))
        self._remember(token, found, claims["exp"])
        return found

    async def _key_of(self, token: str) -> TrustedKey:
        """The key that the token says it was signed with, if it is one of ours and says everything right so far."""
        if len(token) > MAX_TOKEN or not token.isascii():
            raise InvalidToken("this is no token of ours")
        try:
            header = jws.extract_compact(token.encode()).headers()
            right = header["alg"] == ALGORITHM and header["typ"] == TYPE and isinstance(header["kid"], str)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            right = False
        trusted = await self._keys.find(header["kid"]) if right else None
        if trusted is None:
            raise InvalidToken("this is no token of ours")
        return trusted

    def _checked(self, token: str, trusted: TrustedKey) -> Claims:
        try:
            claims = jwt.decode(token, trusted.key, algorithms=[ALGORITHM], decoder_cls=_Once).claims
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise TokenExpired("this token has expired") from None
        except (JoseError, ValueError, KeyError, TypeError, RecursionError):
            raise InvalidToken("this token is not valid") from None
        if not trusted.may_say(claims["iss"], claims["sub"], claims.get("roles")):
            raise InvalidToken("this token says what its signer may not say")
        return claims

    def _remember(self, token: str, found: Caller, expires: float) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()  # crude, and bounded: each is verified once more
        self._known[token] = found, min(self._now() + _FOR, expires + self._leeway)


class _Once(json.JSONDecoder):
    """Refuses claims that are there twice: which of them counts would be a matter of taste."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_without_repetition)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a claim is there twice")
    return found
