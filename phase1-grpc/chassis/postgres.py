"""The database connection pool, and the one way to use it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import psycopg
import structlog
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from chassis import deadlines
from chassis.errors import Unavailable
from chassis.settings import PostgresSettings

Connection = psycopg.AsyncConnection[TupleRow]

log = structlog.get_logger(__name__)


class DatabaseUnavailable(Unavailable):
    reason = "DATABASE_UNAVAILABLE"


class Database:
    """A pool of connections to one database, in autocommit: a single statement is its own transaction.

    `connection()` and `transaction()` turn a lost or busy database into `DatabaseUnavailable`, and nothing else.
    """

    def __init__(self, settings: PostgresSettings) -> None:
        self._patience = settings.db_lock_timeout
        self._pool = AsyncConnectionPool(
            min_size=settings.db_pool_size,
            max_size=settings.db_pool_size,
            max_waiting=settings.db_pool_size * 50,  # a longer queue would only be served after its deadlines
            kwargs={**settings.conninfo(), "autocommit": True, "prepare_threshold": 1, "options": _options(settings)},
            open=False,
            name=settings.db_name,
        )
        self._repair: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._pool.open()  # returns at once: a database that is not there yet is waited for in the background
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._repair is not None:
            self._repair.cancel()
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit, for one statement. Never hold it across a call to another service."""
        left = deadlines.remaining()
        patience = self._patience if left is None else min(left, self._patience)
        try:
            async with self._pool.connection(timeout=patience) as connection:
                yield connection
        except (psycopg.OperationalError, PoolTimeout, TooManyRequests) as error:
            log.warning("database unavailable", error=str(error).strip(), kind=type(error).__name__)
            self._mend()
            raise DatabaseUnavailable("the database does not answer; try again") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: committed at the end, rolled back on any exception."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    def _mend(self) -> None:
        # One broken connection means that the server went away: the idle ones are broken too, and each would fail one
        # more caller. Checking them all in the background replaces them at once.
        if self._repair is None or self._repair.done():
            self._repair = asyncio.create_task(self._pool.check())


def _options(settings: PostgresSettings) -> str:
    limits = {
        "statement_timeout": settings.db_statement_timeout,
        "lock_timeout": settings.db_lock_timeout,
        "idle_in_transaction_session_timeout": settings.db_statement_timeout,
    }
    return " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in limits.items())
