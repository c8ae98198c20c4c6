"""The door: who is let in, and who is counted as one."""

import pytest
from api_gateway.addresses import Addresses
from api_gateway.config import GatewaySettings
from api_gateway.connections import Door

HOUSEHOLD = ("2001:db8:1:2::7", "2001:db8:1:2::8", "2001:db8:1:2:ffff::9")


def door(**changed: object) -> Door:
    settings = GatewaySettings.model_validate({"connections_per_address": 2, **changed})
    return Door(settings, Addresses(settings.trusted_proxies))


def entered(this: Door, *addresses: str) -> list[bool]:
    return [this.enter(address) for address in addresses]


def test_an_address_gets_so_many_connections_and_a_household_no_more() -> None:
    assert entered(door(), *["203.0.113.9"] * 3) == [True, True, False]
    assert entered(door(), *HOUSEHOLD) == [True, True, False]
    assert entered(door(), "2001:db8:1:2::7", "2001:db8:1:3::7", "2001:db8:1:4::7") == [True] * 3  # the control


def test_a_place_that_was_left_is_free_for_the_household() -> None:
    this = door()
    assert entered(this, *HOUSEHOLD) == [True, True, False]
    this.leave(HOUSEHOLD[0])
    assert entered(this, *HOUSEHOLD[1:]) == [True, False]


def test_a_proxy_of_ours_is_not_counted_nor_its_neighbours_for_it() -> None:
    this = door(trusted_proxies="2001:db8:1:2::7/128")
    assert entered(this, *[HOUSEHOLD[0]] * 5) == [True] * 5
    assert entered(this, *[HOUSEHOLD[1]] * 3) == [True, True, False]


def test_there_is_room_for_so_many_in_all() -> None:
    assert entered(door(connections=2), "203.0.113.1", "203.0.113.2", "203.0.113.3") == [True, True, False]


@pytest.mark.parametrize("address", ["", "unknown"])
def test_who_has_no_address_is_one_of_those(address: str) -> None:
    assert entered(door(), *[address] * 3) == [True, True, False]
