"""Tokens of the gateways of the proofs: JWTs, signed with a secret."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

SECRET = b"only the gateways of these proofs know it"
PUBLIC_KEYS = '{"keys":[{"kty":"EC","crv":"P-256","kid":"proof","x":"AQ","y":"Ag"}]}'


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signature(unsigned: str, secret: bytes) -> str:
    return encoded(hmac.digest(secret, unsigned.encode(), hashlib.sha256))


class Tokens:
    life = 600.0
    secrets: tuple[bytes, ...] = (SECRET,)

    def claims(self, user: str, roles: list[str]) -> dict[str, Any]:
        return {"sub": user, "roles": roles, "exp": time.time() + self.life}

    def made(self, user: str, roles: list[str]) -> str:
        head, payload = ({"alg": "HS256", "typ": "JWT"}, self.claims(user, roles))
        unsigned = ".".join(encoded(json.dumps(part).encode()) for part in (head, payload))
        return f"{unsigned}.{signature(unsigned, SECRET)}"

    def read(self, token: str) -> dict[str, Any] | None:
        """What a good token says; None for any other."""
        try:
            unsigned, _, signed = token.rpartition(".")
            head, claims = map(decoded, unsigned.split("."))
        except ValueError:
            return None
        good = self.is_signed(head, unsigned, signed) and self.is_in_time(claims)
        return dict(claims) if good else None

    def is_signed(self, head: dict[str, Any], unsigned: str, signed: str) -> bool:
        del head  # the algorithm is ours, not the token's choice
        return any(hmac.compare_digest(signature(unsigned, secret), signed) for secret in self.secrets)

    def is_in_time(self, claims: dict[str, Any]) -> bool:
        return bool(claims["exp"] > time.time())


def organiser() -> str:
    """An organiser's token, good from now on: between the import of a test and its run there may be many minutes."""
    return Tokens().made("organiser", ["customer", "organiser"])
