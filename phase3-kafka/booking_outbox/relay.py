"""Takes messages from the outbox to Kafka: each at least once, those of one booking in order.

Nothing is lost: a row is deleted when Kafka has confirmed its message, and each reading begins at the first row that is
left, never behind the last one seen. Numbers are given before their transactions commit, so a row with a lower number
may appear later.

Order is kept: one relay leads, and a booking has at most one message under way. Its next one is in a later batch.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import psycopg
import structlog
from chassis.postgres import Connection
from messaging.contract import headers_of
from messaging.publisher import Outgoing, Publisher
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from booking_outbox.config import OutboxSettings
from booking_outbox.leadership import HEARTBEAT, leading

READ = "SELECT id, message_id, booking_id, type, value, traceparent FROM outbox ORDER BY id LIMIT %s"

FORGET = "DELETE FROM outbox WHERE id = ANY(%s)"

_AGAIN = 0.5  # seconds until the next try after something went wrong
_GATHER = 0.02  # seconds in which rows come together after a batch that was not full: each batch costs all who touch it
_LAST_BATCH = 2  # seconds that a relay told to stop may take to hear of what is under way; the next one sends it again
_INSIST = 1  # seconds until it is told again: psycopg first asks a server to stop, which may be cut off

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A message that waits in the outbox."""

    id: int
    message_id: uuid.UUID
    booking_id: uuid.UUID
    type: str
    value: str
    traceparent: str

    def outgoing(self, topic: str) -> Outgoing:
        headers = headers_of(self.message_id, self.type, self.traceparent)
        return Outgoing(topic, str(self.booking_id).encode(), self.value.encode(), headers)


class Relay:
    """Works inside its `async with` block, while it leads; any number of replicas may run one.

    `wake` tells it of a commit in this process. Rows of other replicas it finds by looking every `outbox_poll` seconds.
    """

    def __init__(self, settings: OutboxSettings, publisher: Publisher) -> None:
        self._settings = settings
        self._publisher = publisher
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._stopping = False
        self.leads = False
        self.sent = 0

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        self.wake()
        patience = _LAST_BATCH if self.leads else 0
        while self._running is not None and not (await asyncio.wait([self._running], timeout=patience))[0]:
            self._running.cancel()
            patience = _INSIST

    def wake(self) -> None:
        self._woken.set()

    async def _run(self) -> None:
        while not self._stopping:
            try:
                async with leading(self._settings) as connection:
                    log.info("this relay leads")
                    self.leads = True
                    await self._relay(connection)
            except (psycopg.OperationalError, TimeoutError) as error:
                log.warning("the relay starts again", error=str(error).strip() or type(error).__name__)
            except Exception:
                log.exception("the relay failed")
            self.leads = False
            await self._something_new(_AGAIN)

    async def _relay(self, connection: Connection) -> None:
        while not self._stopping:
            self._woken.clear()
            read, sent = await self.send_batch(connection)
            if read and not sent:  # Kafka refuses: it will not take the next try better at once
                await asyncio.sleep(_AGAIN)
            elif not read:
                await self._something_new(self._settings.outbox_poll)
            elif read < self._settings.outbox_batch:
                await asyncio.sleep(_GATHER)

    async def send_batch(self, connection: Connection) -> tuple[int, int]:
        """Takes a few messages to Kafka and forgets those that arrived; returns how many there were, and arrived."""
        rows = await self._read(connection)
        if not rows:
            return 0, 0
        arrived = await self._delivered(connection, rows)
        await self._execute(connection, FORGET, [arrived])
        self.sent += len(arrived)
        return len(rows), len(arrived)

    async def _read(self, connection: Connection) -> list[Row]:
        """The first rows, one a booking: the first of its messages."""
        read = await self._execute(connection, READ, [self._settings.outbox_batch])
        first: dict[uuid.UUID, Row] = {}
        for values in await read.fetchall():
            row = Row(*values)
            first.setdefault(row.booking_id, row)
        return list(first.values())

    async def _delivered(self, connection: Connection, rows: Sequence[Row]) -> list[int]:
        """The ids of those that Kafka has. PostgreSQL hears of us meanwhile: that keeps the lead, or shows it lost."""
        messages = [row.outgoing(self._settings.bookings_topic) for row in rows]
        delivering = asyncio.create_task(self._publisher.deliver(messages))
        try:
            while not (await asyncio.wait([delivering], timeout=HEARTBEAT))[0]:
                await self._execute(connection, "SELECT")
        finally:
            delivering.cancel()
        return [row.id for row, arrived in zip(rows, await delivering, strict=True) if arrived]

    async def _something_new(self, patience: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._woken.wait()

    async def _execute(self, connection: Connection, query: str, values: Sequence[Any] = ()) -> AsyncCursor[TupleRow]:
        """Gives up on a server that keeps no time limits itself: one that is paused or cut off."""
        async with asyncio.timeout(self._settings.db_statement_timeout + 1):
            return await connection.execute(query, values)
