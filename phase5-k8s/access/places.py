"""What counts as one place that calls come from, for all who count them."""

import ipaddress

_HOME = 64  # bits that a household gets of IPv6, and so can choose among freely


def counted_as(address: str) -> str:
    """The address of an IPv4 client, however it is written; of IPv6 its /64. Raises ValueError for what is none."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _HOME), strict=False))
