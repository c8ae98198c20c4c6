"""Accounts over gRPC: registering, logging in, one's own profile and nobody else's, and no way to more rights."""

import json
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from access.callers import Role
from access.keys import KnownKeys, user_keys
from access.verifying import Verifier
from chassis.settings import CannotStart
from google.protobuf.unknown_fields import UnknownFieldSet
from tests.refusals import Refusal, refusal
from tests.tokens import bearer, service_token, user_token
from tests.users import PASSWORD, Users
from user_service.admin import AdminSettings, make_admin
from user_service.config import UserSettings
from user_service.proto import user_pb2 as pb

CODES = grpc.StatusCode
NOBODY = "00000000-0000-4000-8000-000000000000"


def table(sql: psycopg.Connection) -> list[tuple[object, ...]]:
    return sql.execute("SELECT * FROM users ORDER BY id").fetchall()


async def test_an_account_lives_its_life(users: Users) -> None:
    user = await users.register("Ada@Example.com")
    session = await users.log_in("ada@example.COM")
    assert (session.token_type, session.expires_in) == ("Bearer", 600)
    assert session.user == user == await users.get(user.id, session.access_token)
    assert (user.email, user.name, list(user.roles)) == ("ada@example.com", "Ada", ["customer"])
    request = pb.UpdateUserRequest(user_id=user.id, name="Ada L.")
    changed = await users.stub.UpdateUser(request, metadata=bearer(session.access_token))
    assert changed.user.name == "Ada L."


async def test_its_tokens_are_verified_with_the_keys_it_gives_out(users: Users) -> None:
    user = await users.register()
    token = (await users.log_in()).access_token
    keys = json.loads((await users.stub.GetKeys(pb.GetKeysRequest())).jwks_json)
    assert all("d" not in key for key in keys["keys"])
    caller = await Verifier(KnownKeys(user_keys(keys))).caller(token)
    assert (caller.id, caller.roles) == (user.id, frozenset({"customer"}))


async def test_a_known_email_is_registered_to_all_appearances(users: Users, user_sql: psycopg.Connection) -> None:
    first = await users.register()
    before = table(user_sql)
    second = await users.register("ADA@example.com", "other password", "Eve")
    assert table(user_sql) == before
    assert (second.email, second.name, list(second.roles)) == ("ada@example.com", "Eve", ["customer"])
    assert second.id != first.id
    assert (await refusal(users.log_in(password="other password")))[:2] == (CODES.UNAUTHENTICATED, "WRONG_CREDENTIALS")
    assert (await users.log_in()).user == first


async def test_wrong_password_and_unknown_email_are_refused_alike(users: Users) -> None:
    await users.register()
    answers = []
    for email in ("ada@example.com", "nobody@example.com"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await users.log_in(email, "wrong password")
        error = refused.value
        answers.append((error.code(), error.details(), [value for _, value in error.trailing_metadata()]))
    assert answers[0] == answers[1]


async def test_no_password_is_stored_as_it_is(users: Users, user_sql: psycopg.Connection) -> None:
    await users.register()
    assert PASSWORD not in str(table(user_sql))
    (stored,) = user_sql.execute("SELECT password_hash FROM users").fetchone() or ("",)
    assert stored.startswith("$argon2id$")


async def test_nobody_registers_with_roles(users: Users, user_sql: psycopg.Connection) -> None:
    """Mass assignment: fields that the message does not have, under the numbers and names that others use."""
    stolen = pb.User(id=NOBODY, email="eve@example.com", roles=["admin"])
    asked = pb.RegisterRequest(email="eve@example.com", password=PASSWORD, name="Eve")
    asked.MergeFromString(stolen.SerializeToString().replace(b"\n$" + NOBODY.encode(), b""))  # roles are its field 4
    unknown: Any = UnknownFieldSet(asked)
    assert [field.field_number for field in unknown] == [4]  # the control: they did go along
    made = (await users.stub.Register(asked)).user
    assert list(made.roles) == ["customer"]
    assert user_sql.execute("SELECT roles FROM users").fetchall() == [(["customer"],)]


async def test_nobody_updates_more_than_a_name(users: Users, user_sql: psycopg.Connection) -> None:
    user = await users.register()
    token = (await users.log_in()).access_token
    before = table(user_sql)
    asked = pb.UpdateUserRequest(user_id=user.id)
    asked.MergeFromString(b"\x1a\x05eve@e" + b"\x22\x05admin" + b"\x2a\x05admin")  # fields 3, 4, 5
    await users.stub.UpdateUser(asked, metadata=bearer(token))
    assert table(user_sql) == before


async def test_nobody_sees_or_changes_anybody_else(users: Users, user_sql: psycopg.Connection) -> None:
    ada, eve = await users.register(), await users.register("eve@example.com", name="Eve")
    token = (await users.log_in("eve@example.com")).access_token
    before = table(user_sql)
    for user_id in (ada.id, ada.id.upper(), NOBODY):
        missing = Refusal(CODES.NOT_FOUND, "USER_NOT_FOUND", "")
        assert await refusal(users.get(user_id, token)) == missing
        rename = pb.UpdateUserRequest(user_id=user_id, name="Mine")
        assert await refusal(users.stub.UpdateUser(rename, metadata=bearer(token))) == missing
        for roles in (["admin"], []):
            promote = pb.SetRolesRequest(user_id=eve.id, roles=roles)
            assert (await refusal(users.stub.SetRoles(promote, metadata=bearer(token)))).code is CODES.PERMISSION_DENIED
    assert table(user_sql) == before


async def test_an_admin_may_and_a_service_may_not(
    users: Users, keys_folder: Path, user_sql: psycopg.Connection
) -> None:
    """The control of the test above: the same calls are answered, for whom they are meant."""
    ada = await users.register()
    before = table(user_sql)
    promote = pb.SetRolesRequest(user_id=ada.id, roles=["organiser"])
    service = bearer(service_token(keys_folder))
    for call in (users.stub.SetRoles(promote, metadata=service), users.get(ada.id, service_token(keys_folder))):
        assert (await refusal(call)).code is CODES.PERMISSION_DENIED
    assert table(user_sql) == before
    admin = user_token(keys_folder, NOBODY, Role.ADMIN)
    assert (await users.get(ada.id, admin)).email == "ada@example.com"
    answer = await users.stub.SetRoles(promote, metadata=bearer(admin))
    assert list(answer.user.roles) == ["customer", "organiser"]
    assert list((await users.log_in()).user.roles) == ["customer", "organiser"]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.RegisterRequest(email="ada", password=PASSWORD, name="Ada"), "email"),
        (pb.RegisterRequest(email="ada@example.com", password="short", name="Ada"), "password"),
        (pb.RegisterRequest(email="ada@example.com", password=PASSWORD), "name"),
        (pb.RegisterRequest(email="'; DROP TABLE users; --@x.y", password=PASSWORD, name="Ada"), "email"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_bad_registrations_name_their_field(
    users: Users, user_sql: psycopg.Connection, request_: pb.RegisterRequest, field: str
) -> None:
    assert await refusal(users.stub.Register(request_)) == Refusal(CODES.INVALID_ARGUMENT, "INVALID_FIELD", field)
    assert table(user_sql) == []


async def test_sql_in_a_name_is_a_name(users: Users) -> None:
    name = "'); DELETE FROM users; -- %s %(x)s"
    assert (await users.register(name=name)).name == name
    assert (await users.log_in()).user.name == name


def admin_settings(settings: UserSettings, email: str, password: str = PASSWORD) -> AdminSettings:
    return AdminSettings.model_validate({**settings.model_dump(), "admin_email": email, "admin_password": password})


async def test_the_first_admin_is_made_once(users: Users, user_settings: UserSettings) -> None:
    for _ in range(2):
        await make_admin(admin_settings(user_settings, "Root@example.com"))
    assert list((await users.log_in("root@example.com")).user.roles) == ["customer", "organiser", "admin"]


async def test_an_account_that_is_there_becomes_an_admin_with_its_own_password(
    users: Users, user_settings: UserSettings
) -> None:
    await users.register()
    await make_admin(admin_settings(user_settings, "ada@example.com"))
    assert "admin" in (await users.log_in()).user.roles


async def test_whoever_registered_the_admins_email_before_does_not_become_one(
    users: Users, user_settings: UserSettings, user_sql: psycopg.Connection
) -> None:
    """Nobody proves that an e-mail is theirs, so with another password it may be a stranger's account."""
    await users.register("root@example.com", "the stranger's password", "Eve")
    before = table(user_sql)
    with pytest.raises(CannotStart, match="ADMIN_EMAIL has an account with another password"):
        await make_admin(admin_settings(user_settings, "root@example.com"))
    assert table(user_sql) == before
    assert list((await users.log_in("root@example.com", "the stranger's password")).user.roles) == ["customer"]
