"""The database connection pool, and the one way to use it."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

import psycopg
import structlog
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from chassis import deadlines
from chassis.errors import Unavailable
from chassis.settings import PostgresSettings

Connection = psycopg.AsyncConnection[TupleRow]

# The pool's own errors are OperationalErrors too. The others are no mistake of ours either, though psycopg files them
# under InternalError: the server ended a session that slept in its transaction, or is one that takes no writes.
_AWAY = (
    psycopg.OperationalError,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.ReadOnlySqlTransaction,
)

log = structlog.get_logger(__name__)


class DatabaseUnavailable(Unavailable):
    reason = "DATABASE_UNAVAILABLE"


class Database:
    """A pool of connections to one database, in autocommit: a single statement is its own transaction.

    `connection()` and `transaction()` turn a lost or busy database into `DatabaseUnavailable`, and nothing else.
    `connections` is the class of its connections, for whoever wants to see what is sent through them.
    """

    def __init__(self, settings: PostgresSettings, connections: type[Connection] = psycopg.AsyncConnection) -> None:
        self._patience = settings.db_lock_timeout
        self._longest = settings.db_statement_timeout + 1  # the server's own limit comes first, if it still counts
        self._pool = AsyncConnectionPool(
            connection_class=connections,
            min_size=settings.db_pool_size,
            max_size=settings.db_pool_size,
            max_waiting=settings.db_pool_size * 50,  # a longer queue would only be served after its deadlines
            reconnect_timeout=self._patience,  # then only when asked: by itself its pauses double, for minutes
            kwargs={**settings.conninfo(), "autocommit": True, "prepare_threshold": 1, "options": _options(settings)},
            open=False,
            name=settings.db_name,
        )
        self._renewed_at = 0.0

    async def __aenter__(self) -> Self:
        await self._pool.open()  # returns at once: a database that is not there yet is waited for in the background
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    def usage(self) -> Mapping[str, int]:
        """How the pool is used, now and since its start; the names are those of psycopg_pool's statistics."""
        return self._pool.get_stats()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit, for one statement. Never hold it across a call to another service."""
        left = deadlines.remaining()
        # A little before its deadline, so that the caller still hears why.
        patience = self._patience if left is None else min(0.9 * left, self._patience)
        try:
            async with self._pool.connection(timeout=patience) as connection, self._in_time(connection):
                yield connection
        except _AWAY as error:
            log.warning("database unavailable", error=str(error).strip(), kind=type(error).__name__)
            raise DatabaseUnavailable("the database does not answer; try again") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: committed at the end, rolled back on any exception."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def _in_time(self, connection: Connection) -> AsyncIterator[None]:
        """Hangs up when the server takes too long: one that is paused or cut off does not keep its own time limits."""
        loop = asyncio.get_running_loop()
        taken_at = loop.time()
        limit = loop.call_later(self._longest, _hang_up, connection)
        try:
            yield
        finally:
            limit.cancel()
            if connection.broken:
                await self._renew(taken_at)

    async def _renew(self, broken_since: float) -> None:
        # One broken connection means that the server went away: the idle ones are broken too, and each would fail one
        # more caller. Those who held one at the same time find that it is done already.
        if broken_since > self._renewed_at:
            self._renewed_at = asyncio.get_running_loop().time()
            await self._pool.drain()


def _hang_up(connection: Connection) -> None:
    with (
        contextlib.suppress(OSError, psycopg.OperationalError),
        socket.socket(fileno=os.dup(connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)  # whoever waits for an answer reads the end of the connection


def _options(settings: PostgresSettings) -> str:
    limits = {
        "statement_timeout": settings.db_statement_timeout,
        "lock_timeout": settings.db_lock_timeout,
        "idle_in_transaction_session_timeout": settings.db_statement_timeout,
    }
    # In UTC wherever the server stands: elsewhere a moment of the year 9999 may be in 10000, and no datetime is.
    return " ".join(["-c TimeZone=UTC", *(f"-c {name}={int(seconds * 1000)}" for name, seconds in limits.items())])
