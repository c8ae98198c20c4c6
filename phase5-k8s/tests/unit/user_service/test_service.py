"""The use cases over fakes: what is done, in which order, and that it is the same whoever is there or not."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs
from user_service.domain import NewUser, TooManyTries, User, UserNotFound, WrongCredentials
from user_service.repository import Credentials
from user_service.service import Lives, UserUseCases, pseudonym

ADDRESS = "198.51.100.7"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """Users, sessions, tries and hashes in memory; `done` is everything that took time, in its order."""

    users: dict[str, Credentials] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    blocked: bool = False
    outdated: bool = False

    async def add(self, user_id: uuid.UUID, email: str, name: str, password_hash: str) -> datetime:
        self.done.append("add")
        self.users.setdefault(email, Credentials(User(user_id, email, name, ("customer",), NOW), password_hash))
        return NOW

    async def credentials(self, email: str) -> Credentials | None:
        self.done.append("look")
        return self.users.get(email)

    async def rehash(self, user_id: uuid.UUID, old: str, new: str) -> None:
        self.done.append(f"rehash {old} {new}")

    async def get(self, user_id: uuid.UUID) -> User:
        raise UserNotFound(user_id)

    async def rename(self, user_id: uuid.UUID, name: str | None) -> User:
        raise UserNotFound(user_id)

    async def set_roles(self, user_id: uuid.UUID, roles: tuple[str, ...]) -> User:
        raise UserNotFound(user_id)

    async def begin(self, user_id: uuid.UUID, token_hash: bytes, life: int) -> None:
        self.done.append("begin")

    async def rotate(self, token_hash: bytes, next_hash: bytes) -> User:
        raise AssertionError

    async def end(self, token_hash: bytes) -> None:
        raise AssertionError

    async def count(self, account: str, address: str) -> None:
        self.done.append("count")
        if self.blocked:
            raise TooManyTries(2)

    async def forgive(self, account: str, address: str) -> None:
        self.done.append("forgive")

    async def count_registration(self, address: str) -> None:
        await self.count("", address)

    async def hashed(self, password: str) -> str:
        self.done.append("hash")
        return f"#{password}"

    async def is_right(self, known: str | None, password: str) -> bool:
        self.done.append("verify")
        return known == f"#{password}"

    def is_outdated(self, known: str) -> bool:
        return self.outdated


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def cases(world: World) -> UserUseCases:
    return UserUseCases(world, world, world, world, lambda user: f"token of {user.name}", Lives(600, 3600))


def new(**other: str) -> NewUser:
    return NewUser(**{"email": "ada@example.com", "password": "right password", "name": "Ada", **other})


async def test_who_registers_can_log_in(cases: UserUseCases) -> None:
    user = await cases.register(new(), ADDRESS)
    session = await cases.log_in("ADA@example.com", "right password", ADDRESS)
    assert (session.user, session.access_token, session.expires_in) == (user, "token of Ada", 600)


async def test_registering_a_known_email_does_the_same_work_and_changes_nothing(
    cases: UserUseCases, world: World
) -> None:
    first = await cases.register(new(), ADDRESS)
    before, work = dict(world.users), world.done.copy()
    world.done.clear()
    second = await cases.register(new(password="another password", name="Eve"), ADDRESS)
    assert world.done == work
    assert world.users == before
    assert second.id != first.id
    assert shape(second) == shape(first)


def shape(user: User) -> Mapping[str, type]:
    return {name: type(getattr(user, name)) for name in User.__slots__}


async def test_an_unknown_email_and_a_wrong_password_cost_the_same(cases: UserUseCases, world: World) -> None:
    await cases.register(new(), ADDRESS)
    seen = []
    for email in ("ada@example.com", "nobody@example.com"):
        world.done.clear()
        with pytest.raises(WrongCredentials) as refusal:
            await cases.log_in(email, "wrong password", ADDRESS)
        seen.append((str(refusal.value), tuple(world.done)))
    assert seen[0] == seen[1] == ("wrong e-mail or password", ("count", "look", "verify"))


async def test_a_try_is_counted_before_it_is_made(cases: UserUseCases, world: World) -> None:
    await cases.register(new(), ADDRESS)
    world.done.clear()
    await cases.log_in("ada@example.com", "right password", ADDRESS)
    assert world.done == ["count", "look", "verify", "forgive", "begin"]


async def test_who_is_blocked_costs_no_hash_even_with_the_right_password(cases: UserUseCases, world: World) -> None:
    await cases.register(new(), ADDRESS)
    world.done.clear()
    world.blocked = True
    with pytest.raises(TooManyTries):
        await cases.log_in("ada@example.com", "right password", ADDRESS)
    with pytest.raises(TooManyTries):
        await cases.register(new(), ADDRESS)
    assert world.done == ["count", "count"]


async def test_a_refused_login_is_logged_without_email_and_password(cases: UserUseCases, world: World) -> None:
    with capture_logs() as lines:
        with pytest.raises(WrongCredentials):
            await cases.log_in("ada@example.com", "wrong password", ADDRESS)
        world.blocked = True
        with pytest.raises(TooManyTries):
            await cases.log_in("ada@example.com", "wrong password", ADDRESS)
    assert [line["why"] for line in lines] == ["WRONG_CREDENTIALS", "TOO_MANY_TRIES"]
    assert {line["account"] for line in lines} == {pseudonym("ada@example.com")}
    assert {line["address"] for line in lines} == {ADDRESS}
    assert "ada@" not in str(lines)
    assert "wrong password" not in str(lines)


async def test_an_old_hash_is_made_anew_once_the_password_is_known(cases: UserUseCases, world: World) -> None:
    await cases.register(new(), ADDRESS)
    world.outdated = True
    with pytest.raises(WrongCredentials):
        await cases.log_in("ada@example.com", "wrong password", ADDRESS)
    assert not any(step.startswith("rehash") for step in world.done)
    await cases.log_in("ada@example.com", "right password", ADDRESS)
    assert "rehash #right password #right password" in world.done
