"""Users in PostgreSQL. Each method is one statement."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.postgres import Database

from user_service.domain import User, UserNotFound
from user_service.repository import Credentials

COLUMNS = "users.id, users.email, users.name, users.roles, users.created_at"

# One statement, one answer, the same work: whether the e-mail was free shows in no row, no error, no second look.
ADD = """
WITH made AS (
    INSERT INTO users (id, email, name, password_hash) VALUES (%s, %s, %s, %s) ON CONFLICT (email) DO NOTHING
)
SELECT now()
"""

BY_EMAIL = f"SELECT {COLUMNS}, password_hash FROM users WHERE email = %s"
BY_ID = f"SELECT {COLUMNS} FROM users WHERE id = %s"
RENAME = f"UPDATE users SET name = coalesce(%s, name) WHERE id = %s RETURNING {COLUMNS}"
SET_ROLES = f"UPDATE users SET roles = %s WHERE id = %s RETURNING {COLUMNS}"
REHASH = "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash = %s"


class PostgresUsers:
    """The `UserRepository` of production."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ready(self) -> None:
        """Raises when the database or its tables are not there."""
        async with self._database.connection() as connection:
            await connection.execute(BY_ID, [uuid.UUID(int=0)])

    async def add(self, user_id: uuid.UUID, email: str, name: str, password_hash: str) -> datetime:
        async with self._database.connection() as connection:
            row = await (await connection.execute(ADD, [user_id, email, name, password_hash])).fetchone()
        assert row is not None  # noqa: S101 - it selects exactly one
        made_at: datetime = row[0]
        return made_at

    async def credentials(self, email: str) -> Credentials | None:
        async with self._database.connection() as connection:
            row = await (await connection.execute(BY_EMAIL, [email])).fetchone()
        return Credentials(user_of(row[:-1]), row[-1]) if row else None

    async def rehash(self, user_id: uuid.UUID, old: str, new: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(REHASH, [new, user_id, old])

    async def get(self, user_id: uuid.UUID) -> User:
        return await self._one(user_id, BY_ID, [user_id])

    async def rename(self, user_id: uuid.UUID, name: str | None) -> User:
        return await self._one(user_id, RENAME, [name, user_id])

    async def set_roles(self, user_id: uuid.UUID, roles: tuple[str, ...]) -> User:
        return await self._one(user_id, SET_ROLES, [list(roles), user_id])

    async def _one(self, user_id: uuid.UUID, statement: str, values: Sequence[object]) -> User:
        async with self._database.connection() as connection:
            row = await (await connection.execute(statement, values)).fetchone()
        if row is None:
            raise UserNotFound(user_id)
        return user_of(row)


def user_of(row: Sequence[Any]) -> User:
    """The user in a row of COLUMNS."""
    user_id, email, name, roles, created_at = row
    return User(user_id, email, name, tuple(roles), created_at)
