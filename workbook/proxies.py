"""What is on this machine is called straight, whatever proxy the shell names: that one is for what is elsewhere."""

from collections.abc import MutableMapping

_HERE = ("127.0.0.1", "localhost")
_ALL = "*"


def spare_this_machine(environment: MutableMapping[str, str]) -> None:
    """Adds this machine to what needs no proxy, over HTTP and over gRPC: here, and in all that is started from here."""
    known = environment.get("no_proxy") or environment.get("NO_PROXY", "")
    if known.strip() != _ALL:  # HTTP clients take it only where it stands alone, and gRPC not at all
        environment["no_proxy"] = _with_this_machine(known)
    environment["no_grpc_proxy"] = _with_this_machine(environment.get("no_grpc_proxy") or known)


def _with_this_machine(known: str) -> str:
    hosts = [host for item in known.split(",") if (host := item.strip())]
    return ",".join(dict.fromkeys([*hosts, *_HERE]))
