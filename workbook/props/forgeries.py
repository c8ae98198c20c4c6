"""Tokens that should let nobody in, each as an attacker makes it, and the right ones that they are made from."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from access.callers import USER_SERVICE
from access.keys import ALGORITHM
from access.signing import AUDIENCE, TYPE
from joserfc import jws, jwt
from joserfc.jwk import ECKey

Claims: TypeAlias = Mapping[str, Any]
LIFE = 600  # seconds
ATTACKERS = ECKey.generate_key("P-256", auto_kid=True)


class Forger:
    """Makes tokens around one key: `right` ones, and `forgeries` by what is wrong with them.

    Some carry our signature all the same: tokens that were signed for something else, or long ago, or that somebody
    got signed by a program of ours with a hole. The attacker knows the public key, as everybody does.
    """

    def __init__(self, key: ECKey, now: float, *, user: str = "ada", issuer: str = USER_SERVICE) -> None:
        self.key, self.now = key, int(now)
        self._user, self._issuer = user, issuer

    def right(self, **other: Any) -> str:
        """As user-service signs it; `other` claims replace its own, and None takes one away."""
        return self.signed(self.claims(**other))

    def claims(self, **other: Any) -> dict[str, Any]:
        claims = {"iss": self._issuer, "aud": AUDIENCE, "sub": self._user, "roles": ["customer"]}
        found = {**claims, "iat": self.now, "exp": self.now + LIFE, **other}
        return {name: value for name, value in found.items() if value is not None}

    def header(self, **other: Any) -> dict[str, Any]:
        found = {"alg": ALGORITHM, "typ": TYPE, "kid": self.key.kid, **other}
        return {name: value for name, value in found.items() if value is not None}

    def signed(self, claims: Claims, key: ECKey | None = None, **header: Any) -> str:
        return jwt.encode(self.header(**header), dict(claims), key or self.key, algorithms=[ALGORITHM])

    def twice(self) -> str:
        """The roles are there twice; most readers take the last, some the first."""
        text = '{"roles": ["customer"], ' + json.dumps(self.claims(roles=["admin"]))[1:]
        return jws.serialize_compact(self.header(), text, self.key, algorithms=[ALGORITHM])

    def confused(self) -> str:
        """HS256, whose secret is the public key: for whoever lets the token choose the algorithm."""
        unsigned = by_hand(self.header(alg="HS256"), self.claims(roles=["admin"])).rpartition(".")[0]
        secret = self.key.as_pem(private=False)
        return f"{unsigned}.{_encoded(hmac.digest(secret, unsigned.encode(), hashlib.sha256))}"

    def tampered(self) -> str:
        """Our signature of other claims."""
        header, _, signature = self.right().split(".")
        return f"{header}.{_encoded(json.dumps(self.claims(roles=['admin'])).encode())}.{signature}"

    def forgeries(self) -> Iterator[tuple[str, str]]:
        """What is wrong with it, and the token."""
        yield from ((what, make(self)) for what, make in FORGERIES.items())


def by_hand(header: Claims, claims: Claims, signature: bytes = b"") -> str:
    """Whatever a forger likes; no library would make it."""
    return ".".join(_encoded(part) for part in (json.dumps(header).encode(), json.dumps(claims).encode(), signature))


FORGERIES: Mapping[str, Callable[[Forger], str]] = {
    "alg none": lambda ours: by_hand(ours.header(alg="none"), ours.claims(roles=["admin"])),
    "no signature": lambda ours: by_hand(ours.header(), ours.claims(roles=["admin"])),
    "HS256 with the public key": Forger.confused,
    "claims changed after signing": Forger.tampered,
    "the attacker's key, our kid": lambda ours: ours.signed(ours.claims(roles=["admin"]), ATTACKERS),
    "the attacker's key, its own kid": lambda ours: ours.signed(ours.claims(), ATTACKERS, kid=ATTACKERS.kid),
    "the attacker's key, sent along": lambda ours: ours.signed(
        ours.claims(), ATTACKERS, kid=ATTACKERS.kid, jwk=ATTACKERS.as_dict(private=False)
    ),
    "no kid": lambda ours: ours.signed(ours.claims(), kid=None),
    "expired an hour ago": lambda ours: ours.right(iat=ours.now - 7200, exp=ours.now - 3600),
    "expired 31 s ago": lambda ours: ours.right(iat=ours.now - 7200, exp=ours.now - 31),
    "never expires": lambda ours: ours.right(exp=None),
    "issued tomorrow": lambda ours: ours.right(iat=ours.now + 86_400, exp=ours.now + 86_400 + LIFE),
    "not valid before tomorrow": lambda ours: ours.right(nbf=ours.now + 86_400),
    "for another audience": lambda ours: ours.right(aud="payments"),
    "for no audience": lambda ours: ours.right(aud=None),
    "by another issuer": lambda ours: ours.right(iss="newsletter"),
    "another kind of token": lambda ours: ours.signed(ours.claims(), typ="reset+jwt"),
    "for nobody": lambda ours: ours.right(sub=""),
    "no roles": lambda ours: ours.right(roles=None),
    "a role that users cannot have": lambda ours: ours.right(roles=["customer", "service"]),
    "roles that are text": lambda ours: ours.right(roles="admin"),
    "roles that are an object": lambda ours: ours.right(roles={"admin": True}),
    "roles twice": Forger.twice,
}


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
