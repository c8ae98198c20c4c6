"""Group commit by key: those of one key take turns, the others do not wait for them, and nobody is remembered."""

import asyncio
import gc
from collections.abc import Sequence
from contextvars import ContextVar

import pytest
from chassis.grouping import Groupings, TooManyWaiting, callers

CALLER: ContextVar[str] = ContextVar("CALLER", default="nobody")


class Ledger:
    """Answers each number with itself; notes each group and in whose name it came, and waits for `go`."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.callers: list[str] = []
        self.go = asyncio.Event()

    async def write(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        self.callers.append(CALLER.get())
        await self.go.wait()
        return list(numbers)


async def start(groupings: Groupings, ledger: Ledger, key: str, numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    callers = [asyncio.create_task(groupings.verdict(key, ledger.write, number)) for number in numbers]
    await asyncio.sleep(0)
    return callers


async def test_one_key_waits_for_itself_and_for_no_other() -> None:
    groupings, ledger = Groupings(), Ledger()
    callers = [*await start(groupings, ledger, "jazz", [1, 2, 3]), *await start(groupings, ledger, "rock", [4, 5])]
    assert ledger.groups == [[1], [4]]
    ledger.go.set()
    assert await asyncio.gather(*callers) == [1, 2, 3, 4, 5]
    assert ledger.groups == [[1], [4], [2, 3], [5]]


async def test_an_idle_key_is_forgotten() -> None:
    groupings, ledger = Groupings(), Ledger()
    callers = [caller for key in "abc" for caller in await start(groupings, ledger, key, [1, 2, 3])]
    assert len(groupings) == 3
    callers[1].cancel()
    ledger.go.set()
    await asyncio.gather(*callers, return_exceptions=True)
    del callers
    gc.disable()  # it is forgotten by itself, not when somebody clears up
    try:
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(groupings) == 0
    finally:
        gc.enable()


async def test_a_group_works_in_the_name_of_none_of_its_callers() -> None:
    groupings, ledger = Groupings(), Ledger()
    CALLER.set("ada")
    callers = await start(groupings, ledger, "jazz", [1, 2, 3])
    ledger.go.set()
    await asyncio.gather(*callers)
    assert ledger.callers == ["ada", "nobody"]


async def test_each_key_has_its_own_limits() -> None:
    groupings, ledger = Groupings(largest=1, most_waiting=1), Ledger()
    callers = await start(groupings, ledger, "jazz", [1, 2])
    with pytest.raises(TooManyWaiting):
        await groupings.verdict("jazz", ledger.write, 3)
    callers += await start(groupings, ledger, "rock", [4, 5])
    ledger.go.set()
    assert await asyncio.gather(*callers) == [1, 2, 4, 5]


async def test_a_group_knows_for_whom_it_writes_whoever_writes_beside_it() -> None:
    groupings, told = Groupings(), list[list[tuple[int, str]]]()
    go = asyncio.Event()

    async def write(numbers: Sequence[int]) -> list[int]:
        await go.wait()
        await asyncio.sleep(0)  # now the other group writes too
        told.append([(item, context[CALLER]) for item, context in callers()])
        return list(numbers)

    async def call(key: str, number: int) -> int:
        CALLER.set(f"{key} {number}")
        return await groupings.verdict(key, write, number)

    calls = [asyncio.create_task(call(key, number)) for key in ("jazz", "rock") for number in (1, 2, 3)]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*calls)
    alone: list[tuple[int, str]] = []  # the context it writes in is its own
    assert told == [alone, alone, [(2, "jazz 2"), (3, "jazz 3")], [(2, "rock 2"), (3, "rock 3")]]
    assert callers() == ()
