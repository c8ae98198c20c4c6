"""Sessions in PostgreSQL. A refresh token is used once; one that comes again was stolen, from its owner or by them.

Which of the two is honest nobody can tell, so the session ends for both.
"""

import uuid

import structlog
from chassis.postgres import Connection, Database

from user_service.domain import InvalidRefreshToken, User
from user_service.postgres import COLUMNS, user_of

BEGIN = """
WITH session AS (
    INSERT INTO sessions (id, user_id, expires_at) VALUES (%s, %s, now() + make_interval(secs => %s)) RETURNING id
)
INSERT INTO refresh_tokens (hash, session_id) SELECT %s, id FROM session
"""

# The session's row is locked: two who use one token at the same time come one after the other, and the second is seen.
HOLD = """
SELECT id FROM sessions
WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = %s) AND ended_at IS NULL AND expires_at > now()
FOR UPDATE
"""
USE = "UPDATE refresh_tokens SET used_at = now() WHERE hash = %s AND used_at IS NULL"
FOLLOW = "INSERT INTO refresh_tokens (hash, session_id) VALUES (%s, %s)"
OWNER = f"SELECT {COLUMNS} FROM users JOIN sessions ON sessions.user_id = users.id WHERE sessions.id = %s"
END = "UPDATE sessions SET ended_at = now() WHERE id = %s"
LOG_OUT = """
UPDATE sessions SET ended_at = now()
WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = %s) AND ended_at IS NULL
"""

log = structlog.get_logger(__name__)


class PostgresSessions:
    """The `SessionRepository` of production."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, user_id: uuid.UUID, token_hash: bytes, life: int) -> None:
        async with self._database.connection() as connection:
            await connection.execute(BEGIN, [uuid.uuid4(), user_id, life, token_hash])

    async def rotate(self, token_hash: bytes, next_hash: bytes) -> User:
        async with self._database.transaction() as connection:
            user = await _rotated(connection, token_hash, next_hash)
        if user is None:  # outside of the transaction, which has to be committed: a session may have ended in it
            raise InvalidRefreshToken
        return user

    async def end(self, token_hash: bytes) -> None:
        async with self._database.connection() as connection:
            await connection.execute(LOG_OUT, [token_hash])


async def _rotated(connection: Connection, token_hash: bytes, next_hash: bytes) -> User | None:
    held = await (await connection.execute(HOLD, [token_hash])).fetchone()
    if held is None:
        return None
    (session_id,) = held
    if not (await connection.execute(USE, [token_hash])).rowcount:
        await connection.execute(END, [session_id])
        log.warning("refresh token used again, session ended", session_id=str(session_id))
        return None
    await connection.execute(FOLLOW, [next_hash, session_id])
    row = await (await connection.execute(OWNER, [session_id])).fetchone()
    return user_of(row) if row else None
