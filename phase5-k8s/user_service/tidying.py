"""Now and then, what counts no more goes: tries long ago, and sessions that are over."""

import asyncio
from typing import Self

import structlog
from chassis.errors import Unavailable
from chassis.postgres import Database

TRIES = "DELETE FROM tries WHERE greatest(last_at, free_at) < now() - make_interval(secs => %s)"

# Refresh tokens go with their session. A session that ended stays a day: for those who look into how it ended.
SESSIONS = "DELETE FROM sessions WHERE least(expires_at, ended_at) < now() - interval '1 day'"

log = structlog.get_logger(__name__)


class Tidying:
    """Tidies every `every` seconds inside its `async with` block; tries older than `forgotten` seconds go."""

    def __init__(self, database: Database, *, every: float, forgotten: float) -> None:
        self._database = database
        self._every = every
        self._forgotten = forgotten
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.cancel()

    async def tidy(self) -> None:
        async with self._database.connection() as connection:
            await connection.execute(TRIES, [self._forgotten])
            await connection.execute(SESSIONS)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.tidy()
            except Unavailable:
                log.info("tidying put off")
            except Exception:
                log.exception("tidying failed")
