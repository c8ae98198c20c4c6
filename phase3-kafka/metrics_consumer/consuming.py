"""Messages in, counts out. Each is counted before its offset is stored: a crash between the two makes it come again.

What comes again is known by its message id and changes nothing. A message that cannot be counted goes to the dead
letters, and the partition goes on; while the database or Kafka is away nothing is given up, and all waits.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, Protocol, Self, TypeAlias

import structlog
from chassis.errors import Unavailable
from confluent_kafka import KafkaException
from messaging.contract import Received, Unreadable, read
from messaging.incoming import Incoming

from metrics_consumer.dead_letters import DeadLetters
from metrics_consumer.postgres import CannotCount
from metrics_consumer.subscription import Subscription

TRIES = 3
OUTCOMES = ("counted", "duplicate", "ignored", "dead")
_BREATH = 0.1  # seconds before a message is tried again
_AGAIN = 0.5  # seconds until the next try after something was away
_LAST_BATCH = 5  # seconds that a consumer told to stop may take to finish what it has

Readable: TypeAlias = list[tuple[Incoming, Received]]
Around: TypeAlias = Callable[[Sequence[Incoming]], AbstractAsyncContextManager[None]]
"""Stands around the handling of the messages that were taken together: entered before, left when each is done with, or
with the exception that makes them wait."""

log = structlog.get_logger(__name__)


class Dead(NamedTuple):
    """A message that cannot be counted, why, and how often that was tried."""

    message: Incoming
    error: str
    tries: int


class Counts(Protocol):
    async def count(self, messages: Sequence[Received]) -> int:
        """Counts those that were not counted before; returns how many. Raises CannotCount, Unavailable."""
        ...


@asynccontextmanager
async def nothing_around(_messages: Sequence[Incoming]) -> AsyncIterator[None]:
    yield


class Consuming:
    """Takes messages in batches inside its `async with` block; `outcomes` says what became of them in this process."""

    def __init__(
        self,
        subscribe: Callable[[], Subscription],
        counts: Counts,
        dead_letters: DeadLetters,
        *,
        batch: int,
        around: Around = nothing_around,
    ) -> None:
        self._subscribe = subscribe
        self._counts = counts
        self._dead_letters = dead_letters
        self._batch = batch
        self._around = around
        self._stopping = False
        self._running: asyncio.Task[None] | None = None
        self.subscription: Subscription | None = None
        self.outcomes = Counter(dict.fromkeys(OUTCOMES, 0))

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        if self._running is not None and not (await asyncio.wait([self._running], timeout=_LAST_BATCH))[0]:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def ready(self) -> None:
        """Raises unless this is a member of its group: it may have no partition, when there are more members."""
        if self.subscription is None or not self.subscription.joined:
            raise Unavailable("not a member of the consumer group yet")

    async def _run(self) -> None:
        while not self._stopping:
            try:
                async with self._subscribe() as self.subscription:
                    await self._consume(self.subscription)
            except KafkaException as error:  # this member is of no use any more: another one takes its place
                log.warning("the consumer starts again", error=str(error))
            except Exception:
                log.exception("the consumer failed")
            if not self._stopping:
                await asyncio.sleep(_AGAIN)

    async def _consume(self, subscription: Subscription) -> None:
        while not self._stopping:
            messages = await subscription.take(self._batch)
            if not messages:
                continue
            try:
                async with self._around(messages):
                    await self.handle(messages)
            except Unavailable as error:
                log.warning("messages wait", error=str(error))
                await subscription.again(messages)
                await asyncio.sleep(_AGAIN)
            else:
                await subscription.done(messages)

    async def handle(self, messages: Sequence[Incoming]) -> None:
        """Returns when each is counted, now or before, or is a dead letter; raises Unavailable when it cannot tell.

        Dead letters come last: a batch that cannot be counted now is taken again, and each would be sent again with it.
        """
        readable: Readable = []
        dead: list[Dead] = []
        for message in messages:
            try:
                received = read(message.headers, message.value)
            except Unreadable as error:  # trying again would not change its bytes
                dead.append(Dead(message, str(error), tries=1))
            else:
                readable += [(message, received)] if received is not None else []
        ignored = len(messages) - len(readable) - len(dead)
        if readable:
            dead += await self._count(readable)
        for letter in dead:
            await self._dead_letters.put(*letter)
            self.outcomes["dead"] += 1
        self.outcomes["ignored"] += ignored

    async def _count(self, batch: Readable) -> list[Dead]:
        """Counts them, but for those that the database refuses: these it returns."""
        try:
            counted = await self._counts.count([received for _, received in batch])
        except CannotCount:
            if len(batch) == 1:
                return await self._count_or_give_up(batch)
            middle = len(batch) // 2  # a bad one ends up alone, and holds up no other
            return [*await self._count(batch[:middle]), *await self._count(batch[middle:])]
        self.outcomes["counted"] += counted
        self.outcomes["duplicate"] += len(batch) - counted
        return []

    async def _count_or_give_up(self, one: Readable) -> list[Dead]:
        error = ""
        for _ in range(TRIES - 1):
            await asyncio.sleep(_BREATH)
            try:
                counted = await self._counts.count([one[0][1]])
            except CannotCount as refused:
                error = str(refused)
            else:
                self.outcomes["counted" if counted else "duplicate"] += 1
                return []
        return [Dead(one[0][0], error, TRIES)]
