"""Tokens as forgers make them, from a real one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from checklist.people import claims_of

Forgery = Callable[[str, str], "str | None"]
"""From a real token and the public keys, as they are served, to a forged one; None where that cannot be made."""

_FOREVER = 9_999_999_999


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _json(content: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(content).encode())


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str] | None:
    if not claims_of(token):
        return None
    head, _, signature = token.split(".")
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))), claims_of(token), signature


def _no_algorithm(token: str, keys: str) -> str | None:
    del keys
    parts = _parts(token)
    return f"{_json({**parts[0], 'alg': 'none'})}.{_json(parts[1])}." if parts else None


def _changed(token: str, keys: str) -> str | None:
    """Another end and the signature as it was."""
    del keys
    parts = _parts(token)
    return f"{token.partition('.')[0]}.{_json({**parts[1], 'exp': _FOREVER})}.{parts[2]}" if parts else None


def _unsigned(token: str, keys: str) -> str | None:
    del keys
    return f"{token.rpartition('.')[0]}." if _parts(token) else None


def _guessed(token: str, keys: str) -> str | None:
    """Signed with a secret that many examples have."""
    del keys
    parts = _parts(token)
    return _signed({**parts[0], "alg": "HS256"}, parts[1], b"secret") if parts else None


def _confused(token: str, keys: str) -> str | None:
    """Signed with the public key as the secret: a verifier that lets the token choose the algorithm is taken in."""
    parts = _parts(token)
    if not parts or not keys:
        return None
    return _signed({**parts[0], "alg": "HS256"}, parts[1], keys.encode())


def _signed(head: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    unsigned = f"{_json(head)}.{_json(claims)}"
    return f"{unsigned}.{_encoded(hmac.digest(secret, unsigned.encode(), hashlib.sha256))}"


def with_roles(token: str) -> str | None:
    """The token with roles that its user does not have, and the signature as it was."""
    parts = _parts(token)
    if parts is None:
        return None
    more = {"roles": ["admin", "organiser"], "role": "admin"}
    return f"{token.partition('.')[0]}.{_json({**parts[1], **more})}.{parts[2]}"


KINDS: Mapping[str, Forgery] = {
    "nonsense": lambda _token, _keys: "nonsense",
    "another ending": lambda token, _keys: f"{token[:-6]}AAAAAA",
    "the algorithm none": _no_algorithm,
    "a changed end": _changed,
    "no signature": _unsigned,
    "a secret that is known": _guessed,
    "the public keys as the secret": _confused,
}
