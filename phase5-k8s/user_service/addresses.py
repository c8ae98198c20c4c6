"""Where a call comes from: the other end of the line, or whom the gateway speaks for."""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import unquote

from access.callers import GATEWAY, Caller
from chassis.errors import InvalidArgument

HEADER = "x-client-address"
"""Sent by the gateway together with its own token; from anybody else it is not even read."""

_PEER = re.compile(r"ipv[46]:\[?(.*?)\]?:\d+")
_HOME = 64  # bits that a household gets of IPv6, and so can choose among freely
UNKNOWN = "unknown"


def client_address(caller: Caller, peer: str, metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The client's address, of IPv6 its network; `peer` is as gRPC writes it, such as ipv6:%5B::1%5D:50312."""
    if not caller.is_service(GATEWAY):
        matched = _PEER.fullmatch(unquote(peer))
        return _counted_as(matched[1]) if matched else UNKNOWN
    told = [value for key, value in metadata if key == HEADER]
    if not told:
        return UNKNOWN
    if len(told) > 1 or not isinstance(told[0], str):
        raise InvalidArgument(HEADER, "must be there once")
    try:
        return _counted_as(told[0])
    except ValueError:
        raise InvalidArgument(HEADER, "must be an IP address") from None


def _counted_as(text: str) -> str:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if isinstance(address, ipaddress.IPv6Address) and mapped is None:
        return str(ipaddress.ip_network((int(address), _HOME), strict=False))
    return str(mapped or address)
