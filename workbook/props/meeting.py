"""Two calls made to meet at a chosen moment, and one that dies at a chosen moment: races without luck."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]
Call = Callable[[Connection], Awaitable[Any]]


class SteppedCursor(psycopg.AsyncCursor[Any]):
    async def execute(self, *arguments: Any, **options: Any) -> Any:
        if isinstance(self.connection, SteppedConnection):
            await self.connection.step()
        return await super().execute(*arguments, **options)


class SteppedConnection(psycopg.AsyncConnection[Any]):
    """A connection on which something can be made to happen just before a statement, by its number from 1."""

    _number, _at = 0, 0
    _happens: Callable[[], Awaitable[object]] | None = None

    def before(self, at: int, happens: Callable[[], Awaitable[object]]) -> None:
        self._number, self._at, self._happens = 0, at, happens

    async def step(self) -> None:
        self._number += 1
        if self._number == self._at and self._happens is not None:
            await self._happens()


@dataclass(frozen=True)
class Stage:
    """Two connections for those who meet, and one that looks on from outside."""

    where: dict[str, Any]
    first: SteppedConnection
    second: Connection
    watcher: Connection

    async def meet(self, at: int, one: Call, other: Call) -> tuple[Any, Any] | None:
        """Runs `one`; before its statement `at` the `other` begins, and goes on until it is done or waits for a lock.

        None when `one` has fewer statements: it has run alone then.
        """
        started: list[asyncio.Future[Any]] = []

        async def begin() -> None:
            started.append(asyncio.ensure_future(other(self.second)))
            await self._done_or_waiting(started[0])

        self.first.before(at, begin)
        try:
            result = await one(self.first)
        finally:
            self.first.before(0, begin)
            await asyncio.gather(*started, return_exceptions=True)
        return (result, started[0].result()) if started else None

    async def meet_at_commit(self, one: Call, other: Call) -> tuple[Any, Any]:
        """Runs `one` and, before it is committed, begins the `other`."""
        async with self.first.transaction():
            result = await one(self.first)
            racing = asyncio.ensure_future(other(self.second))
            await self._done_or_waiting(racing)
        return result, await racing

    async def dies(self, at: int, call: Call) -> bool:
        """Runs `call` on a connection that breaks before statement `at`; False when it has fewer and did not die."""
        connection = await _stepped(self.where)
        async with connection:
            connection.before(at, connection.close)
            try:
                await call(connection)
            except psycopg.OperationalError:
                return True
            return connection.closed

    async def _done_or_waiting(self, racing: "asyncio.Future[Any]") -> None:
        while not racing.done():
            backend = self.second.info.backend_pid
            blocked = await self.watcher.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [backend])
            if (await blocked.fetchone()) == (True,):
                return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def stage(where: dict[str, Any]) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as opened:
        first = await opened.enter_async_context(await _stepped(where))
        second, watcher = [
            await opened.enter_async_context(await psycopg.AsyncConnection.connect(**where, autocommit=True))
            for _ in range(2)
        ]
        yield Stage(where, first, second, watcher)


async def _stepped(where: dict[str, Any]) -> SteppedConnection:
    return await SteppedConnection.connect(**where, autocommit=True, cursor_factory=SteppedCursor)
