"""Where a call comes from: nobody can choose their address, except those whom we know to speak for others."""

import pytest
from access.callers import NOBODY, Caller
from chassis.errors import InvalidArgument
from user_service.addresses import HEADER, UNKNOWN, client_address

GATEWAY = Caller("api-gateway", frozenset({"service"}))
OTHER_SERVICE = Caller("booking-service", frozenset({"service"}))
PRETENDING = Caller("api-gateway", frozenset({"customer"}))
ADMIN = Caller("eve", frozenset({"admin", "customer"}))
TOLD = [(HEADER, "198.51.100.7")]


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:127.0.0.1:50312", "127.0.0.1"),
        ("ipv6:%5B::1%5D:50312", "::/64"),
        ("ipv6:[2001:db8:1:2:3:4:5:6]:50312", "2001:db8:1:2::/64"),
        ("ipv6:%5B::ffff:192.0.2.1%5D:1", "192.0.2.1"),
        ("unix:/tmp/x", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_it_is_the_other_end_of_the_line(peer: str, address: str) -> None:
    assert client_address(NOBODY, peer, []) == address


def test_only_the_gateway_may_speak_for_others() -> None:
    assert client_address(GATEWAY, "ipv4:10.0.0.1:1", TOLD) == "198.51.100.7"
    for caller in (NOBODY, ADMIN, OTHER_SERVICE, PRETENDING):
        assert client_address(caller, "ipv4:10.0.0.1:1", TOLD) == "10.0.0.1"


def test_a_household_is_counted_once() -> None:
    told = [client_address(GATEWAY, "", [(HEADER, f"2001:db8:1:2::{number:x}")]) for number in range(3)]
    assert set(told) == {"2001:db8:1:2::/64"}


@pytest.mark.parametrize("told", [["here"], ["198.51.100.7", "198.51.100.8"], [""], ["1.2.3.4, 5.6.7.8"]])
def test_what_is_no_address_is_refused(told: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        client_address(GATEWAY, "", [(HEADER, value) for value in told])


def test_a_gateway_that_does_not_say_is_not_counted_as_its_own() -> None:
    """Else all users of the gateway would share what one of them did."""
    assert client_address(GATEWAY, "ipv4:10.0.0.1:1", []) == UNKNOWN
