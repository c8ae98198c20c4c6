"""Guessing passwords: slowed down by account and by address, however many tries come at once, and wherever."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from structlog.testing import capture_logs
from tests.refusals import retry_delay
from tests.tokens import bearer, service_token
from tests.users import PASSWORD, Users, running
from user_service.config import UserSettings

UNAUTHENTICATED, EXHAUSTED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.RESOURCE_EXHAUSTED
WRONG = "wrong password"


@pytest.fixture
def strict(user_settings: UserSettings) -> UserSettings:
    """Waits so long that no machine is too slow to see them."""
    return user_settings.model_copy(update={"tries_per_account": 3, "tries_per_address": 8})


async def guessed(users: Users, email: str, password: str = WRONG, **options: Any) -> grpc.StatusCode:
    try:
        await users.log_in(email, password, **options)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def at_once(users: list[Users], emails: list[str], **options: Any) -> Counter[grpc.StatusCode]:
    """How so many guesses that come together are answered, each at the next of the replicas."""
    tries = [guessed(users[number % len(users)], email, **options) for number, email in enumerate(emails)]
    return Counter(await asyncio.gather(*tries))


def held_up(sql: psycopg.Connection, like: str) -> float:
    """Seconds from the last try to the next one that is let through."""
    row = sql.execute(
        "SELECT greatest(0, extract(epoch FROM free_at - last_at)) FROM tries WHERE subject LIKE %s", [like]
    ).fetchone()
    return float(row[0]) if row else 0.0


def over(sql: psycopg.Connection) -> None:
    """The pauses are over; what was counted stays."""
    sql.execute("UPDATE tries SET free_at = now()")


def waited(sql: psycopg.Connection) -> None:
    """So much time has passed as the address had to wait."""
    sql.execute(
        "UPDATE tries SET last_at = last_at - (free_at - last_at), free_at = last_at WHERE subject LIKE 'address %'"
    )


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_a_crowd_gets_as_many_tries_at_an_account_as_one(strict: UserSettings, email: str) -> None:
    """Known or not: it must not show in this either."""
    async with running(strict) as one, running(strict) as two:
        await one.register()
        assert await at_once([one, two], [email] * 30) == {UNAUTHENTICATED: 3, EXHAUSTED: 27}


async def test_without_the_count_all_get_theirs(user_settings: UserSettings) -> None:
    """The control of the test above."""
    off = {"tries_per_account": 1_000_000, "tries_per_address": 1_000_000}
    async with running(user_settings.model_copy(update=off)) as users:
        assert await at_once([users], ["ada@example.com"] * 30) == {UNAUTHENTICATED: 30}


async def test_an_address_has_so_many_tries_at_all_accounts(strict: UserSettings) -> None:
    async with running(strict) as users:
        assert await at_once([users], [f"user{n}@example.com" for n in range(30)]) == {
            UNAUTHENTICATED: 8,
            EXHAUSTED: 22,
        }


async def test_pauses_double_up_to_the_longest(strict: UserSettings, user_sql: psycopg.Connection) -> None:
    pauses = []
    async with running(strict.model_copy(update={"longest_wait_account": 6})) as users:
        for _ in range(7):
            assert await guessed(users, "ada@example.com") is UNAUTHENTICATED
            pauses.append(held_up(user_sql, "account %"))
            over(user_sql)
    assert pauses == [0, 0, 1, 2, 4, 6, 6]


async def test_the_refusal_says_how_long_to_wait_and_the_right_password_waits_too(strict: UserSettings) -> None:
    async with running(strict.model_copy(update={"tries_per_account": 1})) as users:
        await users.register()
        await guessed(users, "ada@example.com")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await users.log_in()
    assert retry_delay(refused.value) == 1


async def test_the_right_password_makes_the_account_free_again(
    strict: UserSettings, user_sql: psycopg.Connection
) -> None:
    async with running(strict) as users:
        await users.register()
        for _ in range(4):
            await guessed(users, "ada@example.com")
            await guessed(users, "ada@example.com")
            over(user_sql)
            assert await guessed(users, "ada@example.com", PASSWORD) is grpc.StatusCode.OK
            user_sql.execute("UPDATE tries SET count = 0 WHERE subject LIKE 'address %'")


async def test_logging_in_often_is_no_guessing(strict: UserSettings) -> None:
    async with running(strict) as users:
        await users.register()
        for _ in range(20):
            assert await guessed(users, "ada@example.com", PASSWORD) is grpc.StatusCode.OK


async def test_tries_long_ago_are_forgotten(strict: UserSettings, user_sql: psycopg.Connection) -> None:
    async with running(strict) as users:
        for _ in range(3):
            await guessed(users, "ada@example.com")
        assert await guessed(users, "ada@example.com") is EXHAUSTED
        user_sql.execute(
            "UPDATE tries SET last_at = now() - interval '16 minutes', free_at = now() - interval '15 minutes'"
        )
        assert await at_once([users], ["ada@example.com"] * 5) == {UNAUTHENTICATED: 3, EXHAUSTED: 2}


async def test_nothing_is_forgotten_by_waiting_for_a_pause_to_end(
    strict: UserSettings, user_sql: psycopg.Connection
) -> None:
    """The longest pause lasts as long as what is remembered without one; it ends, and the next is as long."""
    pauses = []
    async with running(strict.model_copy(update={"tries_per_address": 1})) as users:
        for number in range(13):
            assert await guessed(users, f"user{number}@example.com") is UNAUTHENTICATED
            assert await guessed(users, f"user{number}@example.com") is EXHAUSTED
            pauses.append(held_up(user_sql, "address %"))
            waited(user_sql)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


async def test_who_is_behind_the_gateway_is_counted_each_for_themselves(
    strict: UserSettings, keys_folder: Path
) -> None:
    gateway = bearer(service_token(keys_folder, "api-gateway"))
    async with running(strict) as users:
        for client in ("198.51.100.7", "198.51.100.8"):
            emails = [f"user{n}-{client}@example.com" for n in range(12)]
            told = (*gateway, ("x-client-address", client))
            assert await at_once([users], emails, metadata=told) == {UNAUTHENTICATED: 8, EXHAUSTED: 4}


async def test_nobody_else_chooses_their_address(strict: UserSettings) -> None:
    async with running(strict) as users:
        outcome: Counter[grpc.StatusCode] = Counter()
        for number in range(12):
            told = (("x-client-address", f"198.51.100.{number}"), ("x-forwarded-for", f"198.51.100.{number}"))
            outcome[await guessed(users, f"user{number}@example.com", metadata=told)] += 1
    assert outcome[UNAUTHENTICATED] == 8


async def test_registering_is_slowed_down_too(user_settings: UserSettings, user_sql: psycopg.Connection) -> None:
    async with running(user_settings.model_copy(update={"registrations_per_address": 4})) as users:
        made = await asyncio.gather(
            *(users.register(f"user{n}@example.com") for n in range(10)), return_exceptions=True
        )
    assert sum(isinstance(each, grpc.aio.AioRpcError) and each.code() is EXHAUSTED for each in made) == 6
    assert user_sql.execute("SELECT count(*) FROM users").fetchone() == (4,)


async def test_neither_log_nor_table_says_whose_password_was_guessed(
    strict: UserSettings, user_sql: psycopg.Connection
) -> None:
    with capture_logs() as lines:
        async with running(strict) as users:
            await at_once([users], ["ada@example.com"] * 5)
    assert Counter(line["why"] for line in lines if line["event"] == "login refused") == {
        "WRONG_CREDENTIALS": 3,
        "TOO_MANY_TRIES": 2,
    }
    assert "ada" not in str(lines)
    assert "ada" not in str(user_sql.execute("SELECT tries::text FROM tries").fetchall())
