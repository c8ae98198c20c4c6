"""Group commit: callers who come while another one's write is under way wait together, and share the next write."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from typing import Any, TypeAlias, TypeVar

from chassis.errors import ResourceExhausted, Unavailable

Item = TypeVar("Item")
Verdict = TypeVar("Verdict")
Write: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Verdict]]]
Waiting: TypeAlias = list[tuple[Any, asyncio.Future[Any]]]


class TooManyWaiting(ResourceExhausted):
    reason = "TOO_MANY_WAITING"


class Grouping:
    """Lets one `write` run at a time, for one item or for a group of at most `largest`.

    A `write` answers with one verdict an item, in their order. A lone caller waits for nobody, and writes in its own
    task. When a group fails, each item is tried alone: a bad one harms no other, and neither does a caller who leaves.
    """

    def __init__(self, *, largest: int = 64, most_waiting: int = 1000) -> None:
        self._largest = largest
        self._most_waiting = most_waiting
        self._waiting: dict[Write[Any, Any], Waiting] = {}
        self._writing = False
        self._context = copy_context()  # a group has many callers: it must not end at the deadline of one of them

    async def verdict(self, write: Write[Item, Verdict], item: Item) -> Verdict:
        """What `write` answers for this item, or what it raises; TooManyWaiting when the queue is full."""
        if not self._writing:
            return await self._alone(write, item)
        if sum(map(len, self._waiting.values())) >= self._most_waiting:
            raise TooManyWaiting("too many calls are waiting; try again later")
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(write, []).append((item, verdict))
        return await verdict

    async def _alone(self, write: Write[Item, Verdict], item: Item) -> Verdict:
        self._writing = True
        try:
            return (await write([item]))[0]
        finally:
            self._writing = bool(self._waiting)
            if self._waiting:
                self._writer = asyncio.create_task(self._write_groups(), context=self._context)

    async def _write_groups(self) -> None:
        while self._waiting:
            write = next(iter(self._waiting))  # kinds of write take turns
            waiting = self._waiting.pop(write)
            if len(waiting) > self._largest:
                self._waiting[write] = waiting[self._largest :]
            await self._settle(write, [each for each in waiting[: self._largest] if not each[1].done()])
            await asyncio.sleep(0)  # those who have just been answered may come back at once: they join the next group
        self._writing = False

    async def _settle(self, write: Write[Any, Any], group: Waiting) -> None:
        try:
            verdicts = await write([item for item, _ in group]) if group else []
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for the callers
            if len(group) > 1 and not isinstance(error, Unavailable):
                await asyncio.gather(*(self._settle(write, [each]) for each in group))
                return
            for _, caller in group:
                if not caller.done():
                    caller.set_exception(error)
            return
        for (_, caller), verdict in zip(group, verdicts, strict=True):
            if not caller.done():
                caller.set_result(verdict)
