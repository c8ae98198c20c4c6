"""A service's own token: the same for some minutes, and always one that the others take."""

import time
from pathlib import Path

import pytest
from access.callers import InvalidToken
from access.keys import KnownKeys, own_keys
from access.signing import ServiceToken
from access.verifying import Verifier

NAME = "booking-service"


class Clock:
    def __init__(self) -> None:
        self.time = float(int(time.time()))

    def now(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def token(keys_folder: Path, clock: Clock) -> ServiceToken:
    return ServiceToken(NAME, own_keys(keys_folder, NAME)[0], now=clock.now)


async def test_it_is_replaced_while_it_is_still_good(token: ServiceToken, trusted: KnownKeys, clock: Clock) -> None:
    first = token.current()
    clock.time += 239
    assert token.current() == first
    clock.time += 2
    assert token.current() != first
    assert (await Verifier(trusted, leeway=0, now=clock.now).caller(first)).is_service(NAME)


async def test_a_clock_that_is_put_back_leaves_no_token_of_the_future(
    token: ServiceToken, trusted: KnownKeys, clock: Clock
) -> None:
    """Nobody takes one that is made in an hour; that the others do refuse it is the control."""
    verifier = Verifier(trusted, now=clock.now)
    early = token.current()
    clock.time -= 3600
    with pytest.raises(InvalidToken):
        await verifier.caller(early)
    assert (await verifier.caller(token.current())).is_service(NAME)
