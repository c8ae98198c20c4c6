"""Tokens as they should be, and as forgers make them."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

from access.callers import USER_SERVICE, Role
from access.keys import own_keys
from access.signing import AUDIENCE, ServiceToken, Signer
from joserfc import jwt
from joserfc.jwk import ECKey

Metadata = tuple[tuple[str, str], ...]


def user_token(folder: Path, user_id: str, *roles: Role) -> str:
    """As user-service makes it; a customer's, unless roles are given."""
    return Signer(USER_SERVICE, own_keys(folder, USER_SERVICE)[0]).token(user_id, roles or [Role.CUSTOMER], 600)


def service_token(folder: Path, name: str = "booking-service") -> str:
    return ServiceToken(name, own_keys(folder, name)[0]).current()


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


def right_claims(**other: Any) -> dict[str, Any]:
    """The claims of a customer's token; `other` ones replace them, and None takes one away."""
    now = int(time.time())
    claims = {"iss": USER_SERVICE, "aud": AUDIENCE, "sub": "ada", "roles": ["customer"], "iat": now, "exp": now + 600}
    return {name: value for name, value in {**claims, **other}.items() if value is not None}


def right_header(key: ECKey, **other: Any) -> dict[str, Any]:
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **other}
    return {name: value for name, value in header.items() if value is not None}


def signed(key: ECKey, claims: dict[str, Any], **header: Any) -> str:
    """By the library, as one of us would."""
    return jwt.encode(right_header(key, **header), claims, key, algorithms=["ES256"])


def by_hand(header: dict[str, Any], claims: dict[str, Any] | str, signature: bytes = b"") -> str:
    """Whatever a forger likes; no library would make it."""
    payload = claims if isinstance(claims, str) else json.dumps(claims)
    return f"{_encoded(json.dumps(header).encode())}.{_encoded(payload.encode())}.{_encoded(signature)}"


def confused(key: ECKey, claims: dict[str, Any]) -> str:
    """HS256 with the public key as its secret: a verifier that lets the token choose the algorithm is taken in."""
    header = {"alg": "HS256", "typ": "at+jwt", "kid": key.kid}
    unsigned = by_hand(header, claims).rpartition(".")[0]
    secret = key.as_pem(private=False)
    return f"{unsigned}.{_encoded(hmac.digest(secret, unsigned.encode(), hashlib.sha256))}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
