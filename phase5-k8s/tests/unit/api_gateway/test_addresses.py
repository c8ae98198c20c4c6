"""Whose request it is: the peer's, unless the peer is a proxy of ours that says otherwise."""

import pytest
from api_gateway.addresses import UNKNOWN, Addresses
from api_gateway.config import GatewaySettings
from starlette.types import Scope

TRUSTED = GatewaySettings(trusted_proxies="10.0.0.0/8, 192.168.1.1, fd00::/8").trusted_proxies  # type: ignore[arg-type]


def asked(peer: str | None, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"type": "http", "client": None if peer is None else (peer, 50_000), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # anybody can write that
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),  # the first one was sent by the client
        ("10.0.0.1", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 192.168.1.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        (None, ["198.51.100.1"], UNKNOWN),
    ],
)
def test_only_a_proxy_of_ours_is_believed(peer: str | None, forwarded: list[str], found: str) -> None:
    assert Addresses(TRUSTED).of(asked(peer, *forwarded)) == found


def test_by_default_nobody_is_believed() -> None:
    assert Addresses(()).of(asked("10.0.0.1", "198.51.100.1")) == "10.0.0.1"


def test_who_believes_everybody_counts_nobody() -> None:
    """The control: with all of the internet trusted, each made-up address would be a customer of its own."""
    everybody = Addresses(GatewaySettings(trusted_proxies="0.0.0.0/0").trusted_proxies)  # type: ignore[arg-type]
    assert everybody.of(asked("203.0.113.9", "nonsense")) == "203.0.113.9"
    assert Addresses(TRUSTED).of(asked("203.0.113.9", "192.0.2.1")) == "203.0.113.9"


def test_a_household_is_counted_as_one() -> None:
    addresses = Addresses(())
    assert addresses.counted(asked("2001:db8:1:2::7")) == addresses.counted(asked("2001:db8:1:2:ffff::8"))
    assert addresses.counted(asked("2001:db8:1:2::7")) != addresses.counted(asked("2001:db8:1:3::7"))
    assert addresses.counted(asked("203.0.113.9")) == "203.0.113.9"
    assert addresses.counted(asked("::ffff:203.0.113.9")) == "203.0.113.9"  # else all of IPv4 would be one household
