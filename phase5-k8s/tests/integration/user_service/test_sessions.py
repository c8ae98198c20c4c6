"""Refresh tokens: used once, in turn; one that comes again ends its session, however many come at once."""

import asyncio

import grpc
import psycopg
import pytest
from chassis.postgres import Database
from structlog.testing import capture_logs
from tests.refusals import refusal
from tests.users import Users, running
from user_service import sessions
from user_service.config import UserSettings
from user_service.proto import user_pb2 as pb
from user_service.tidying import Tidying

REFUSED = (grpc.StatusCode.UNAUTHENTICATED, "INVALID_REFRESH_TOKEN")


async def logged_in(users: Users) -> pb.Session:
    await users.register()
    return await users.log_in()


def live(sql: psycopg.Connection) -> int:
    """Sessions that have not ended."""
    (count,) = sql.execute(
        "SELECT count(*) FROM sessions WHERE ended_at IS NULL AND expires_at > now()"
    ).fetchone() or (0,)
    return int(count)


async def test_each_refresh_gives_the_next_token(users: Users, user_sql: psycopg.Connection) -> None:
    session = await logged_in(users)
    seen = {session.refresh_token}
    for _ in range(3):
        following = await users.refresh(session.refresh_token)
        assert following.user == session.user
        assert following.access_token != session.access_token
        assert following.refresh_token not in seen
        seen.add(following.refresh_token)
        session = following
    assert live(user_sql) == 1
    stored = user_sql.execute("SELECT hash FROM refresh_tokens").fetchall()
    assert len(stored) == 4
    assert not any(token in str(stored) for token in seen)


async def test_a_used_token_ends_the_session_for_both(users: Users, user_sql: psycopg.Connection) -> None:
    stolen = (await logged_in(users)).refresh_token
    kept = (await users.refresh(stolen)).refresh_token
    other = (await users.log_in()).refresh_token
    with capture_logs() as lines:
        assert (await refusal(users.refresh(stolen)))[:2] == REFUSED
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == [
        "refresh token used again, session ended"
    ]
    assert (await refusal(users.refresh(kept)))[:2] == REFUSED
    assert live(user_sql) == 1  # another session of the same user goes on
    assert (await users.refresh(other)).access_token


async def at_once(users: Users, token: str, times: int) -> int:
    """How many of so many uses of one token at the same moment are answered."""
    answers = await asyncio.gather(*(users.refresh(token) for _ in range(times)), return_exceptions=True)
    return sum(isinstance(answer, pb.Session) for answer in answers)


async def test_of_many_who_use_a_token_at_once_one_is_answered(users: Users, user_sql: psycopg.Connection) -> None:
    assert await at_once(users, (await logged_in(users)).refresh_token, 20) == 1
    assert live(user_sql) == 0


async def test_without_the_mark_of_use_each_is_answered(
    users: Users, user_sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above; the database has a guard of its own, one token a session that is not used."""
    monkeypatch.setattr(sessions, "USE", sessions.USE.replace(" AND used_at IS NULL", ""))
    token = (await logged_in(users)).refresh_token
    user_sql.execute("DROP INDEX refresh_tokens_unused")
    try:
        assert await at_once(users, token, 20) > 1
    finally:
        user_sql.execute("TRUNCATE refresh_tokens")
        user_sql.execute(
            "CREATE UNIQUE INDEX refresh_tokens_unused ON refresh_tokens (session_id) WHERE used_at IS NULL"
        )


async def test_two_replicas_see_the_same(user_settings: UserSettings) -> None:
    async with running(user_settings) as one, running(user_settings) as two:
        token = (await logged_in(one)).refresh_token
        assert (await two.refresh(token)).access_token
        assert (await refusal(one.refresh(token)))[:2] == REFUSED


async def test_log_out_ends_the_session_with_any_of_its_tokens(users: Users, user_sql: psycopg.Connection) -> None:
    first = (await logged_in(users)).refresh_token
    second = (await users.refresh(first)).refresh_token
    for token in (first, second, "unknown", ""):  # the second time, and for nobody, it is no error
        await users.stub.LogOut(pb.LogOutRequest(refresh_token=token))
    assert live(user_sql) == 0
    assert (await refusal(users.refresh(second)))[:2] == REFUSED


@pytest.mark.parametrize("token", ["", "x", "ü" * 1000, "'; DROP TABLE sessions; --", "A" * 43])
async def test_what_is_no_token_of_ours_is_refused(users: Users, token: str) -> None:
    assert (await refusal(users.refresh(token)))[:2] == REFUSED


async def test_a_session_has_an_end_that_no_refresh_puts_off(users: Users, user_sql: psycopg.Connection) -> None:
    token = (await users.refresh((await logged_in(users)).refresh_token)).refresh_token
    (left,) = user_sql.execute("SELECT expires_at - created_at FROM sessions").fetchone() or (None,)
    assert left is not None
    assert left.days == 30
    user_sql.execute("UPDATE sessions SET expires_at = now()")
    assert (await refusal(users.refresh(token)))[:2] == REFUSED


async def test_new_roles_stand_in_the_next_token(users: Users, user_sql: psycopg.Connection) -> None:
    token = (await logged_in(users)).refresh_token
    user_sql.execute("UPDATE users SET roles = '{customer,organiser}'")
    assert list((await users.refresh(token)).user.roles) == ["customer", "organiser"]


async def test_what_counts_no_more_is_tidied_away(
    users: Users, user_settings: UserSettings, user_sql: psycopg.Connection
) -> None:
    gone, stays = (await logged_in(users)).refresh_token, (await users.log_in()).refresh_token
    await users.stub.LogOut(pb.LogOutRequest(refresh_token=gone))
    user_sql.execute("UPDATE sessions SET ended_at = now() - interval '2 days' WHERE ended_at IS NOT NULL")
    user_sql.execute(
        "INSERT INTO tries (subject, count, last_at, free_at)"
        " VALUES ('old', 9, now() - interval '1 hour', '-infinity'), ('new', 9, now(), now())"
    )
    async with Database(user_settings) as database:
        await Tidying(database, every=60, forgotten=900).tidy()
    assert user_sql.execute("SELECT count(*) FROM refresh_tokens").fetchone() == (1,)
    assert user_sql.execute("SELECT subject FROM tries WHERE subject IN ('old', 'new')").fetchall() == [("new",)]
    assert (await users.refresh(stays)).access_token
