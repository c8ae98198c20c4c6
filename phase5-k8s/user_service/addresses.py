"""Where a call comes from: the other end of the line, or whom the gateway speaks for."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from access.callers import GATEWAY, Caller
from access.places import counted_as
from chassis.errors import InvalidArgument

HEADER = "x-client-address"
"""Sent by the gateway together with its own token; from anybody else it is not even read."""

_PEER = re.compile(r"ipv[46]:\[?(.*?)\]?:\d+")
UNKNOWN = "unknown"


def client_address(caller: Caller, peer: str, metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The client's address, of IPv6 its network; `peer` is as gRPC writes it, such as ipv6:%5B::1%5D:50312."""
    if not caller.is_service(GATEWAY):
        matched = _PEER.fullmatch(unquote(peer))
        return counted_as(matched[1]) if matched else UNKNOWN
    told = [value for key, value in metadata if key == HEADER]
    if not told:
        return UNKNOWN
    if len(told) > 1 or not isinstance(told[0], str):
        raise InvalidArgument(HEADER, "must be there once")
    try:
        return counted_as(told[0])
    except ValueError:
        raise InvalidArgument(HEADER, "must be an IP address") from None
