"""Limits: how many come through, when there is more, and what it costs when many come."""

import asyncio
import socket
import time

import pytest
from api_gateway.windows import OwnWindows, Policy, SharedWindows, Taken, Windows

THREE = Policy("user", 3, 60)
PATIENCE = 0.5


class Clock:
    def __init__(self, now: float = 6000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FixedWindows:
    """The wrong way: what was counted is forgotten at the end of each minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, int], int] = {}

    async def take(self, policy: Policy, key: str) -> Taken:
        window = key, int(self._clock() // policy.seconds)
        self._counts[window] = self._counts.get(window, 0) + 1
        return Taken(policy, self._counts[window] <= policy.amount, 0, 1)


async def allowed(windows: Windows, count: int, key: str = "ada") -> int:
    return sum([(await windows.take(THREE, key)).allowed for _ in range(count)])


def test_a_rate_is_written_as_people_say_it() -> None:
    assert Policy.of("user", "3/minute") == THREE
    assert Policy.of("user", "5 per 10 seconds") == Policy("user", 5, 10)


async def test_as_many_as_the_limit_come_through_and_each_is_told_what_is_left() -> None:
    windows = OwnWindows(Clock())
    taken = [await windows.take(THREE, "ada") for _ in range(5)]
    assert [each.allowed for each in taken] == [True, True, True, False, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0, 0]


async def test_each_key_and_each_policy_is_counted_for_itself() -> None:
    windows = OwnWindows(Clock())
    assert await allowed(windows, 5) == 3
    assert await allowed(windows, 5, key="bob") == 3
    assert (await windows.take(Policy("address", 3, 60), "ada")).allowed


async def at_the_turn_of_a_window(windows: Windows, clock: Clock) -> int:
    """How many come through within two seconds around the end of a minute."""
    clock.now = 6059.0
    before = await allowed(windows, 5)
    clock.now = 6061.0
    return before + await allowed(windows, 5)


async def test_around_the_end_of_a_window_there_are_no_more() -> None:
    clock = Clock()
    assert await at_the_turn_of_a_window(OwnWindows(clock), clock) == 3


async def test_a_fixed_window_lets_twice_as_many_through() -> None:
    clock = Clock()
    assert await at_the_turn_of_a_window(FixedWindows(clock), clock) == 6


@pytest.mark.parametrize("began", [6000.0, 6030.0, 6059.5])
async def test_who_waits_as_told_comes_through_and_who_comes_earlier_does_not(began: float) -> None:
    clock = Clock(began)
    windows = OwnWindows(clock)
    await allowed(windows, 3)
    refused = await windows.take(THREE, "ada")
    clock.now = began + refused.more_in - 1.5
    assert not (await windows.take(THREE, "ada")).allowed
    clock.now = began + refused.more_in
    assert (await windows.take(THREE, "ada")).allowed


async def test_after_a_long_time_all_is_forgotten() -> None:
    clock = Clock()
    windows = OwnWindows(clock)
    await allowed(windows, 5)
    clock.now += 600
    assert await allowed(windows, 5) == 3


async def test_a_crowd_of_keys_makes_no_step_dearer() -> None:
    """Counted, not timed: the keys of two windows are kept, and no step looks at more than its own."""
    clock = Clock()
    windows = OwnWindows(clock)
    for minute in range(4):
        clock.now = 6000 + 60 * minute
        for number in range(1000):
            await windows.take(THREE, f"{minute}-{number}")
    (counts,) = windows._counts.values()
    assert (len(counts.now), len(counts.before)) == (1000, 1000)


async def test_without_its_redis_each_process_counts_for_itself_and_nobody_waits_long() -> None:
    async with SharedWindows("redis://127.0.0.1:1", OwnWindows(Clock())) as windows:
        began = time.monotonic()
        assert await allowed(windows, 5) == 3
        assert time.monotonic() - began < 5


class Slow(SharedWindows):
    """Redis answers in time, and takes most of it."""

    async def _counted(self, policy: Policy, key: str) -> Taken:
        del key
        await asyncio.sleep(0.8 * PATIENCE)
        return Taken(policy, True, 0, 1)


async def seconds_of_a_crowd() -> float:
    """How long the last of ten times as many waits as have a turn at once."""
    async with Slow("redis://127.0.0.1:1", OwnWindows(), PATIENCE) as windows:
        began = time.monotonic()
        await asyncio.gather(*[windows.take(THREE, "ada") for _ in range(160)])
        return time.monotonic() - began


async def test_waiting_for_a_turn_is_waiting_for_redis() -> None:
    assert await seconds_of_a_crowd() < 4 * PATIENCE


async def test_a_redis_that_says_nothing_costs_its_patience_once() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        async with SharedWindows(url, OwnWindows(Clock()), PATIENCE) as windows:
            began = time.monotonic()
            taken = await asyncio.gather(*[windows.take(THREE, "ada") for _ in range(100)])
            assert sum(each.allowed for each in taken) == 3
            for _ in range(100):
                await windows.take(THREE, "ada")
            assert time.monotonic() - began < 4 * PATIENCE
