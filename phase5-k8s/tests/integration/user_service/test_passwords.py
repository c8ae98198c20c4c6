"""Passwords at their real cost: the event loop goes on meanwhile, and nobody learns by the clock who has an account."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from user_service.config import UserSettings
from user_service.passwords import Passwords

RIGHT, WRONG = "correct horse", "wrong password"


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    async with Passwords(UserSettings()) as passwords:
        yield passwords


async def work(ask: Callable[[], Awaitable[object]]) -> float:
    """Seconds of work of this process, all its threads together: what else the machine does is not among them."""
    began = time.process_time()
    await ask()
    return time.process_time() - began


async def test_at_its_real_cost_nobody_is_as_much_work_as_somebody(passwords: Passwords) -> None:
    known = await passwords.hashed(RIGHT)
    assert await passwords.is_right(known, RIGHT)
    somebody = await work(lambda: passwords.is_right(known, WRONG))
    nobody = await work(lambda: passwords.is_right(None, WRONG))
    assert 0.5 < nobody / somebody < 2
    passwords._of_nobody = "no hash at all"  # the control: without something to verify it shows
    assert await work(lambda: passwords.is_right(None, WRONG)) < somebody / 5


async def test_the_loop_goes_on_while_passwords_are_hashed(passwords: Passwords) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await passwords.hashed(RIGHT)
    counting.cancel()
    assert turns > 10
    before = turns
    passwords._hasher.hash(RIGHT)  # the control: on the loop nothing else happens
    assert turns == before


async def test_who_gave_up_while_waiting_costs_nothing() -> None:
    async with Passwords(UserSettings(hashes_at_once=1)) as passwords:
        first = asyncio.create_task(passwords.hashed(RIGHT))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(passwords.hashed(RIGHT)) for _ in range(50)]
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        began = time.perf_counter()
        await first
        one = time.perf_counter() - began
        await passwords.hashed(RIGHT)
        assert time.perf_counter() - began < 10 * max(one, 0.05)


async def test_a_hash_that_is_none_is_nobodys(passwords: Passwords) -> None:
    for known in ("", "plain", "$argon2id$broken", "$2b$12$abcdefghijklmnopqrstuv"):
        assert not await passwords.is_right(known, RIGHT)


async def test_other_costs_make_a_hash_outdated(passwords: Passwords) -> None:
    async with Passwords(UserSettings(hash_time_cost=1, hash_memory_cost=64)) as cheap:
        assert passwords.is_outdated(await cheap.hashed(RIGHT))
    assert not passwords.is_outdated(await passwords.hashed(RIGHT))
