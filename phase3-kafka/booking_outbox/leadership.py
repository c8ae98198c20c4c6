"""One leader among several relays: whoever holds an advisory lock, on a connection that it uses for nothing else.

The lock ends with the connection, so a leader that dies is replaced within a second. A leader that hangs, or cannot be
reached any more, is replaced too: the server ends its session when nothing has been heard of it for a while.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from chassis.postgres import Connection
from chassis.settings import PostgresSettings

TRY = "SELECT pg_try_advisory_lock(hashtext('booking outbox'))"

SILENCE = 10  # seconds after which the server takes the lock from a leader that says nothing
HEARTBEAT = 1  # seconds
_TRY_EVERY = 0.25  # trying costs little; a statement that waits for the lock would keep PostgreSQL from tidying up


@asynccontextmanager
async def leading(settings: PostgresSettings) -> AsyncIterator[Connection]:
    """Waits until this process leads; the block may use the connection, and must say something every few seconds.

    Raises psycopg.OperationalError, here or from a statement in the block, when the connection and so the lead is lost;
    TimeoutError when the server does not answer.
    """
    limits = f"-c idle_session_timeout={SILENCE}s -c statement_timeout={int(settings.db_statement_timeout * 1000)}"
    connection = await psycopg.AsyncConnection.connect(
        **settings.conninfo(),  # type: ignore[arg-type]
        autocommit=True,
        prepare_threshold=1,
        options=limits,
        application_name="outbox relay",
    )
    async with connection:
        while not await _got_it(connection, settings.db_statement_timeout + 1):  # noqa: ASYNC110 - what it waits for is in a database
            await asyncio.sleep(_TRY_EVERY)
        yield connection


async def _got_it(connection: Connection, patience: float) -> bool:
    async with asyncio.timeout(patience):  # a server that is cut off keeps no time limits itself
        row = await (await connection.execute(TRY)).fetchone()
    return row is not None and bool(row[0])
