"""The backlog: a picture that grows while bookings are made, told and counted."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any, LiteralString, Self

import psycopg

from workbook.props.growing import GLANCE, GrowingPicture
from workbook.props.meeting import Connection
from workbook.stack import LocalStack

BOOKED = "SELECT count(*) FROM bookings WHERE event_id = %s AND status = 'CONFIRMED'"
WAITING = "SELECT count(*) FROM outbox"
COUNTED = "SELECT coalesce(sum(confirmed), 0) FROM event_bookings WHERE event_id = %s"


class Backlog:
    """Draws, inside its block, what happens to an event's bookings: made, waiting in the outbox, counted.

    It reads the two databases. While one is away the last numbers stand.
    """

    def __init__(self, stack: LocalStack, event_id: str) -> None:
        self._bookings: dict[str, Any] = stack.settings_of("booking-service").conninfo()
        self._metrics: dict[str, Any] = stack.settings_of("metrics-consumer").conninfo()
        self._event = event_id
        self._now: dict[str, int] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        watcher = asyncio.create_task(self._watch())
        self._stack.callback(watcher.cancel)
        async with asyncio.timeout(10):
            while not self._now:  # noqa: ASYNC110 - the first numbers come with the first look
                await asyncio.sleep(GLANCE)
        begin = {**self._now, "waiting": 0}
        await self._stack.enter_async_context(
            GrowingPicture(lambda: {name: self._now[name] - begin[name] for name in begin})
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(3 * GLANCE)  # the numbers may be one look behind
        await self._stack.aclose()

    @property
    def waiting(self) -> int:
        """Rows in the outbox at the last look."""
        return self._now["waiting"]

    async def _watch(self) -> None:
        while True:
            with suppress(psycopg.OperationalError):
                async with await _open(self._bookings) as bookings, await _open(self._metrics) as metrics:
                    while True:
                        self._now = await self._look(bookings, metrics)
                        await asyncio.sleep(GLANCE)
            await asyncio.sleep(GLANCE)

    async def _look(self, bookings: Connection, metrics: Connection) -> dict[str, int]:
        return {
            "booked": await _number(bookings, BOOKED, self._event),
            "waiting": await _number(bookings, WAITING),
            "counted": await _number(metrics, COUNTED, self._event),
        }


async def _open(where: dict[str, Any]) -> Connection:
    return await psycopg.AsyncConnection.connect(**where, autocommit=True)


async def _number(connection: Connection, query: LiteralString, *values: str) -> int:
    return int((await (await connection.execute(query, values)).fetchone() or (0,))[0])
