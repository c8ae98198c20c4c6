"""User-service's keys: asked for when needed, seldom, by one for all, and kept while it is away."""

import asyncio
import json
from pathlib import Path

import pytest
from access.fetched_keys import FetchedKeys, KeysUnavailable
from access.keys import make_keys, own_keys, published
from chassis import deadlines
from chassis.errors import Unavailable


class UserService:
    """Answers with its keys, counts how often it is asked, and can be away."""

    def __init__(self, folder: Path) -> None:
        self.keys = own_keys(folder, "user-service")
        self.asked = 0
        self.away = False
        self.deadlines: list[float | None] = []

    async def __call__(self) -> str:
        self.asked += 1
        self.deadlines.append(deadlines.remaining())
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("away")
        return json.dumps(published(self.keys))

    @property
    def kid(self) -> str:
        return str(self.keys[0].kid)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def users(keys_folder: Path) -> UserService:
    return UserService(keys_folder)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fetched(users: UserService, clock: Clock) -> FetchedKeys:
    return FetchedKeys(users, every=300, pause=5, now=clock)


async def test_a_known_key_is_asked_for_once(fetched: FetchedKeys, users: UserService) -> None:
    for _ in range(3):
        found = await fetched.find(users.kid)
        assert found is not None
        assert found.issuer == "user-service"
    assert users.asked == 1


async def test_many_who_come_first_ask_once(fetched: FetchedKeys, users: UserService) -> None:
    assert all(await asyncio.gather(*(fetched.find(users.kid) for _ in range(50))))
    assert users.asked == 1


async def test_made_up_key_ids_are_asked_for_once_a_pause(
    fetched: FetchedKeys, users: UserService, clock: Clock
) -> None:
    for second in range(20):
        clock.now = float(second)
        assert await fetched.find(f"made up {second}") is None
    assert users.asked == 4


async def test_a_new_key_is_found_and_one_taken_back_forgotten(
    fetched: FetchedKeys, users: UserService, clock: Clock, tmp_path: Path
) -> None:
    old = users.kid
    assert await fetched.find(old)
    make_keys(tmp_path, ["user-service"])
    users.keys = own_keys(tmp_path, "user-service")
    clock.now = 6
    assert await fetched.find(users.kid)
    assert await fetched.find(old) is None


async def test_keys_are_kept_while_user_service_is_away(fetched: FetchedKeys, users: UserService, clock: Clock) -> None:
    assert await fetched.find(users.kid)
    users.away = True
    for clock.now in (301.0, 10_000.0):
        assert await fetched.find(users.kid)
        await asyncio.sleep(0.01)
    assert users.asked == 3
    assert await fetched.find("unknown") is None


async def test_without_any_keys_nobody_is_called_a_forger(
    fetched: FetchedKeys, users: UserService, clock: Clock
) -> None:
    users.away = True
    with pytest.raises(KeysUnavailable):
        await fetched.find(users.kid)
    users.away = False
    with pytest.raises(KeysUnavailable):  # it asked a moment ago
        await fetched.find(users.kid)
    clock.now = 6
    assert await fetched.find(users.kid)


async def test_a_hurried_caller_does_not_spoil_it_for_the_others(fetched: FetchedKeys, users: UserService) -> None:
    deadlines._ends_at.set(asyncio.get_running_loop().time() + 0.001)
    first = asyncio.create_task(fetched.find(users.kid))
    await asyncio.sleep(0)
    first.cancel()
    assert await fetched.find(users.kid)
    assert users.deadlines == [None]
    assert users.asked == 1


@pytest.mark.parametrize("answer", ["", "[]", '{"keys": 1}', '{"keys": [{"kty": "EC"}]}', "null"])
async def test_an_answer_that_is_no_key_set_changes_nothing(users: UserService, clock: Clock, answer: str) -> None:
    said = [json.dumps(published(users.keys)), answer]

    async def ask() -> str:
        return said.pop(0)

    fetched = FetchedKeys(ask, pause=5, now=clock)
    assert await fetched.find(users.kid)
    clock.now = 6
    assert await fetched.find("unknown") is None
    assert await fetched.find(users.kid)
