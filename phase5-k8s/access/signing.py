"""Tokens are signed here: those of users by user-service, and the short ones of a service for itself."""

import time
import uuid
from collections.abc import Callable, Iterable

from joserfc import jwt
from joserfc.jwk import ECKey

from access.callers import Role
from access.keys import ALGORITHM

AUDIENCE = "tickets"
TYPE = "at+jwt"  # RFC 9068: an access token, and nothing else that the same key may sign one day
_SERVICE_LIFE = 300  # seconds
_LEFT = 60  # seconds before its end that a service's token is replaced


class Signer:
    """Signs for one issuer; `now` is the time in seconds since 1970."""

    def __init__(self, issuer: str, key: ECKey, now: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._key = key
        self._now = now

    def token(self, subject: str, roles: Iterable[str], life: int) -> str:
        """An access token that is good for `life` seconds."""
        now = int(self._now())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "roles": sorted(roles),
            "iat": now,
            "exp": now + life,
            "jti": str(uuid.uuid4()),
        }
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


class ServiceToken:
    """A service's own token, the same for some minutes."""

    def __init__(self, service: str, key: ECKey, now: Callable[[], float] = time.time) -> None:
        self._service = service
        self._signer = Signer(service, key, now)
        self._now = now
        self._token, self._made_at = "", float("-inf")

    def current(self) -> str:
        # Also made anew when the clock was put back: nobody takes one of the future.
        if not 0 <= self._now() - self._made_at < _SERVICE_LIFE - _LEFT:
            self._made_at = self._now()
            self._token = self._signer.token(self._service, [Role.SERVICE], _SERVICE_LIFE)
        return self._token
