"""A verifier for a service: it trusts the services' keys in the file, and those that user-service has."""

from collections.abc import Awaitable, Callable

from access.config import AccessSettings
from access.fetched_keys import AnyOf, FetchedKeys
from access.keys import KnownKeys, service_keys
from access.verifying import Verifier


def verifier_of(settings: AccessSettings, ask: Callable[[], Awaitable[str]]) -> Verifier:
    """`ask` returns user-service's JWK Set (see user_service/client.py); raises NoKeys if there is no file."""
    fetched = FetchedKeys(ask, every=settings.keys_every, pause=settings.keys_pause)
    return Verifier(AnyOf(KnownKeys(service_keys(settings.keys_folder)), fetched), leeway=settings.clock_leeway)
