"""Key files: each service's private keys in a file that only it needs, the public ones of all services in one more.

    keys/user-service.json   {"keys": [private JWK, …]}     the first signs; all of them are published
    keys/services.json       {"booking-service": {"keys": [public JWK, …]}, …}

The second file says whose key is whose: a service can sign for itself only. A key is changed in three steps, and all
services are started again after each, for whoever does not know a key refuses what it signed: a new one comes behind
the old one; then before it, and signs; the old one goes once what it signed has expired.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from chassis.settings import CannotStart
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from access.callers import SERVICE_ROLES, USER_ROLES, USER_SERVICE

ALGORITHM = "ES256"  # every JWT library has it; EdDSA is being renamed (RFC 9864), and libraries disagree on its name
_CURVE = "P-256"
_SERVICES = "services.json"


class NoKeys(CannotStart):
    """A key file is not there, or cannot be read; the text says what to run."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key, the one whose it is, and the roles that this one may give."""

    key: ECKey
    issuer: str
    roles: frozenset[str]

    def may_say(self, issuer: object, subject: object, roles: object) -> bool:
        """Whether what a token claims is this one's to claim. A service speaks for itself alone."""
        given = roles if isinstance(roles, list) and all(isinstance(role, str) for role in roles) else []
        about = subject == self.issuer if self.roles == SERVICE_ROLES else bool(subject)
        return issuer == self.issuer and about and bool(given) and self.roles.issuperset(given)


class Keys(Protocol):
    """Where public keys are looked up."""

    async def find(self, kid: str) -> TrustedKey | None:
        """None for a key that is not trusted; raises Unavailable if that cannot be told now."""
        ...


class KnownKeys:
    """Keys that are all there from the start."""

    def __init__(self, keys: Iterable[TrustedKey]) -> None:
        self._by_id = {str(key.key.kid): key for key in keys}

    async def find(self, kid: str) -> TrustedKey | None:
        return self._by_id.get(kid)


def make_keys(folder: Path, names: Iterable[str]) -> list[str]:
    """Makes the files that are not there yet; returns whose keys are new. Keys that are there stay as they are."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    services = {name: _own_file(folder, name) for name in names}
    made = [name for name, path in services.items() if not path.exists()]
    for name in made:
        _write(services[name], {"keys": [_new_key().as_dict(private=True)]}, mode=0o600)
    others = {name: published(own_keys(folder, name)) for name in services if name != USER_SERVICE}
    _write(folder / _SERVICES, others, mode=0o644)
    return made


def own_keys(folder: Path, name: str) -> list[ECKey]:
    """The private keys of a service, the one that signs first; raises NoKeys."""
    path = _own_file(folder, name)
    keys = _keys_in(_read(path), path)
    if not keys or not all(key.is_private for key in keys):
        raise NoKeys(f"{path} holds no private key")
    return keys


def service_keys(folder: Path) -> list[TrustedKey]:
    """The public keys of all services, each for what its service may say; raises NoKeys."""
    path = folder / _SERVICES
    found = _read(path)
    if not isinstance(found, dict):
        raise NoKeys(f"{path} does not say whose keys are whose")
    return [
        TrustedKey(key, name, SERVICE_ROLES)
        for name, keys in found.items()
        if name != USER_SERVICE  # users' tokens are of another kind: no file gives a service that right
        for key in _keys_in(keys, path)
    ]


def user_keys(jwks: Mapping[str, Any]) -> list[TrustedKey]:
    """The keys of user-service in a JWK Set; raises NoKeys for what is none, or has none that can be used."""
    found = _keys_in(jwks, "what user-service answers")
    if not found:
        raise NoKeys("what user-service answers holds no key of ours")
    return [TrustedKey(key, USER_SERVICE, USER_ROLES) for key in found]


def published(keys: Iterable[ECKey]) -> dict[str, list[dict[str, Any]]]:
    """The JWK Set of the public halves."""
    return {"keys": [{**key.as_dict(private=False), "alg": ALGORITHM, "use": "sig"} for key in keys]}


def _new_key() -> ECKey:
    return ECKey.generate_key(_CURVE, {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)


def _own_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _keys_in(jwks: Any, where: Path | str) -> list[ECKey]:
    """The keys that can be used; of other kinds there may be more, for a later time. Errors say `where`."""
    try:
        ours = [key for key in jwks["keys"] if (key["kty"], key.get("crv")) == ("EC", _CURVE) and key.get("kid")]
        return [ECKey.import_key(key) for key in ours]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NoKeys(f"{where} holds no JWK Set") from error


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NoKeys(f"no keys in {path}: make them with `python -m phase5 keys`, or set KEYS_FOLDER") from error


def _write(path: Path, content: object, mode: int) -> None:
    """As a whole or not at all, and never readable by others in between."""
    unseen = path.with_suffix(".part")
    unseen.unlink(missing_ok=True)
    with os.fdopen(os.open(unseen, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        json.dump(content, file, indent=1)
    unseen.rename(path)
