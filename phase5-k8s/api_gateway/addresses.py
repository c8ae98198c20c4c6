"""Whose request it is, as far as the network tells: the peer's address, or what a trusted proxy says of it."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from access.places import counted_as
from starlette.types import Scope

from api_gateway.config import Network

UNKNOWN = "unknown"
_FORWARDED = b"x-forwarded-for"


class Addresses:
    """`trusted` are the networks of our own proxies. Without one, X-Forwarded-For is a text that anybody can write."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted

    def counted(self, scope: Scope) -> str:
        """What the client of a request is counted as."""
        return counted(self.of(scope))

    def of(self, scope: Scope) -> str:
        """The client's address: the last one on the way that is not a proxy of ours."""
        client = scope.get("client")
        peer = client[0] if client else UNKNOWN
        if not self.trusts(peer):
            return peer
        for hop in reversed(list(_hops(scope["headers"]))):
            if not self.trusts(hop):
                return hop if _is_address(hop) else peer
        return peer

    def trusts(self, address: str) -> bool:
        if not self._trusted or not _is_address(address):
            return False
        return any(ip_address(address) in network for network in self._trusted)


def counted(address: str) -> str:
    """What is counted as one client: an IPv6 customer has a whole /64, and could use another address each time."""
    return counted_as(address) if _is_address(address) else address


def _hops(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[str]:
    for name, value in headers:
        if name == _FORWARDED:
            yield from (hop.strip() for hop in value.decode("latin-1").split(","))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
