"""Group commit: callers who come while another one's write is under way wait together, and share the next write."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from chassis import deadlines
from chassis.errors import ResourceExhausted, Unavailable

Item = TypeVar("Item")
Verdict = TypeVar("Verdict")
Write: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Verdict]]]
Waiting: TypeAlias = list[tuple[Any, asyncio.Future[Any], Context]]

_callers: ContextVar[Sequence[tuple[Any, Context]]] = ContextVar("callers", default=())


def callers() -> Sequence[tuple[Any, Context]]:
    """For whom the group write under way is: each item, and the context of the call that brought it.

    Nobody where a caller writes for itself: then the current context is its own.
    """
    return _callers.get()


class TooManyWaiting(ResourceExhausted):
    reason = "TOO_MANY_WAITING"


class Grouping:
    """Lets one `write` run at a time, for one item or for a group of at most `largest`, first come, first served.

    A `write` answers with one verdict an item, in their order. A lone caller waits for nobody, and writes in its own
    task. When a group fails, its halves are tried one after the other: a bad item ends up alone, harms no other and
    changes nobody's turn. Nothing is written for a caller who left the queue, and whoever would leave it before its
    turn, by its deadline, is refused at once.
    """

    def __init__(self, *, largest: int = 64, most_waiting: int = 1000, context: Context | None = None) -> None:
        self._largest = largest
        self._most_waiting = most_waiting
        self._waiting: dict[Write[Any, Any], Waiting] = {}
        self._writing = False
        self._pace = 0.0  # seconds the last write took; one that fails says nothing about the next
        self._context = context or copy_context()  # of no caller: a group must not end at the deadline of one of them

    async def verdict(self, write: Write[Item, Verdict], item: Item) -> Verdict:
        """What `write` answers for this item, or what it raises; TooManyWaiting when its turn would come too late."""
        if not self._writing:
            return await self._alone(write, item)
        self._refuse_if_too_late()
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(write, []).append((item, verdict, copy_context()))
        return await verdict

    def _refuse_if_too_late(self) -> None:
        waiting, left = sum(map(len, self._waiting.values())), deadlines.remaining()
        writes_before = 1 + waiting // self._largest
        if waiting >= self._most_waiting or (left is not None and writes_before * self._pace >= left):
            raise TooManyWaiting("too many calls are waiting; try again later")

    async def _alone(self, write: Write[Item, Verdict], item: Item) -> Verdict:
        self._writing = True
        try:
            return (await self._timed(write, [item]))[0]
        finally:
            self._writing = bool(self._waiting)
            if self._waiting:
                self._writer = asyncio.create_task(self._write_groups(), context=self._context.copy())

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
            _callers.set([(item, context) for item, _, context in group])
            verdicts = await self._timed(write, [item for item, *_ in group]) if group else []
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for the callers
            if len(group) > 1 and not isinstance(error, Unavailable):
                middle = len(group) // 2
                await self._settle(write, group[:middle])
                await self._settle(write, group[middle:])
                return
            for _, caller, _ in group:
                if not caller.done():
                    caller.set_exception(error)
            return
        for (_, caller, _), verdict in zip(group, verdicts, strict=True):
            if not caller.done():
                caller.set_result(verdict)

    async def _timed(self, write: Write[Item, Verdict], items: Sequence[Item]) -> Sequence[Verdict]:
        clock = asyncio.get_running_loop().time
        began = clock()
        verdicts = await write(items)
        self._pace = clock() - began
        return verdicts


class Groupings:
    """A Grouping for each key: callers with one key take turns, callers with different keys do not wait for each other.

    It is made when somebody needs it. Its callers and its write hold it, nobody else does: idle, it is forgotten.
    """

    def __init__(self, *, largest: int = 64, most_waiting: int = 1000) -> None:
        self._largest = largest
        self._most_waiting = most_waiting
        self._by_key: WeakValueDictionary[Hashable, Grouping] = WeakValueDictionary()
        self._context = copy_context()

    async def verdict(self, key: Hashable, write: Write[Item, Verdict], item: Item) -> Verdict:
        """As Grouping.verdict, among those with this key."""
        grouping = self._by_key.get(key)
        if grouping is None:
            grouping = Grouping(largest=self._largest, most_waiting=self._most_waiting, context=self._context)
            self._by_key[key] = grouping
        return await grouping.verdict(write, item)

    def __len__(self) -> int:
        return len(self._by_key)
