"""Group commit: who writes alone, who shares, and what one caller's failure or departure does to the others."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest
from chassis import deadlines
from chassis.errors import Unavailable
from chassis.grouping import Grouping, TooManyWaiting

CALLER: ContextVar[str] = ContextVar("CALLER", default="nobody")


class Ledger:
    """Doubles numbers; notes each group, and waits in it for `go`. Numbers in `bad` cannot be done."""

    def __init__(self, bad: dict[int, Exception] | None = None) -> None:
        self.groups: list[list[int]] = []
        self.callers: list[str] = []
        self.began = asyncio.Event()
        self.go = asyncio.Event()
        self._bad = bad or {}

    async def write(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        self.callers.append(CALLER.get())
        self.began.set()
        await self.go.wait()
        for number in numbers:
            if number in self._bad:
                raise self._bad[number]
        return [2 * number for number in numbers]


async def start(grouping: Grouping, ledger: Ledger, numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    """A caller for each number: the first writes already, the others wait."""
    callers = [asyncio.create_task(grouping.verdict(ledger.write, number)) for number in numbers]
    await asyncio.sleep(0)
    return callers


async def test_a_lone_caller_waits_for_nobody_and_writes_in_its_own_task() -> None:
    grouping, ledger = Grouping(), Ledger()
    ledger.go.set()
    CALLER.set("ada")
    assert [await grouping.verdict(ledger.write, number) for number in (1, 2)] == [2, 4]
    assert ledger.groups == [[1], [2]]
    assert ledger.callers == ["ada", "ada"]


async def test_those_who_come_meanwhile_share_the_next_write_and_each_gets_its_own_verdict() -> None:
    grouping, ledger = Grouping(), Ledger()
    callers = await start(grouping, ledger, range(5))
    assert ledger.groups == [[0]]
    ledger.go.set()
    assert await asyncio.gather(*callers) == [0, 2, 4, 6, 8]
    assert ledger.groups == [[0], [1, 2, 3, 4]]


async def test_a_group_works_in_the_name_of_none_of_its_callers() -> None:
    grouping, ledger = Grouping(), Ledger()
    CALLER.set("ada")
    callers = await start(grouping, ledger, range(3))
    ledger.go.set()
    await asyncio.gather(*callers)
    assert ledger.callers == ["ada", "nobody"]


async def test_a_group_has_its_limit_and_the_rest_comes_next() -> None:
    grouping, ledger = Grouping(largest=2), Ledger()
    callers = await start(grouping, ledger, range(6))
    ledger.go.set()
    assert await asyncio.gather(*callers) == [0, 2, 4, 6, 8, 10]
    assert ledger.groups == [[0], [1, 2], [3, 4], [5]]


async def test_kinds_of_write_take_turns_and_never_run_at_once() -> None:
    grouping, first, second = Grouping(largest=1), Ledger(), Ledger()
    second.go.set()
    callers = [*await start(grouping, first, range(3)), *await start(grouping, second, range(2))]
    assert (first.groups, second.groups) == ([[0]], [])
    first.go.set()
    await asyncio.gather(*callers)
    assert (first.groups, second.groups) == ([[0], [1], [2]], [[0], [1]])


async def test_those_just_answered_join_the_next_group() -> None:
    grouping, claims, confirmations = Grouping(), Ledger(), Ledger()
    confirmations.go.set()

    async def book(number: int) -> int:
        return await grouping.verdict(confirmations.write, await grouping.verdict(claims.write, number))

    callers = [asyncio.create_task(book(number)) for number in range(4)]
    await asyncio.sleep(0)
    claims.go.set()
    assert await asyncio.gather(*callers) == [0, 4, 8, 12]
    assert confirmations.groups == [[0, 2, 4, 6]]


async def test_a_bad_item_fails_alone() -> None:
    grouping, ledger = Grouping(), Ledger(bad={2: LookupError("2")})
    callers = await start(grouping, ledger, range(4))
    ledger.go.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [repr(answer) for answer in answers] == ["0", "2", "LookupError('2')", "6"]
    assert ledger.groups == [[0], [1, 2, 3], [1], [2, 3], [2], [3]]


async def test_when_nothing_can_be_written_nobody_is_tried_again() -> None:
    grouping, ledger = Grouping(), Ledger(bad={2: Unavailable("away")})
    callers = await start(grouping, ledger, range(4))
    ledger.go.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, Unavailable, Unavailable, Unavailable]
    assert ledger.groups == [[0], [1, 2, 3]]


async def test_after_a_failure_it_goes_on() -> None:
    grouping, ledger = Grouping(), Ledger(bad={1: LookupError("1")})
    ledger.go.set()
    with pytest.raises(LookupError):
        await grouping.verdict(ledger.write, 1)
    assert await asyncio.gather(*(grouping.verdict(ledger.write, number) for number in (2, 3))) == [4, 6]


async def test_one_who_leaves_the_queue_is_not_written_for() -> None:
    grouping, ledger = Grouping(), Ledger()
    callers = await start(grouping, ledger, range(4))
    callers[2].cancel()
    await asyncio.sleep(0)
    ledger.go.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["0", "2", "", "6"]
    assert ledger.groups == [[0], [1, 3]]


async def test_one_who_leaves_a_group_harms_no_other() -> None:
    grouping, ledger, gate = Grouping(), Ledger(), Ledger()
    callers = [*await start(grouping, gate, [0]), *await start(grouping, ledger, range(3))]
    gate.go.set()
    await ledger.began.wait()
    callers[2].cancel()
    ledger.go.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["0", "0", "", "4"]


async def test_when_the_lone_writer_leaves_those_who_wait_are_served() -> None:
    grouping, ledger = Grouping(), Ledger()
    callers = await start(grouping, ledger, range(3))
    callers[0].cancel()
    await asyncio.sleep(0)
    ledger.go.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["", "2", "4"]


async def test_a_full_queue_refuses_and_has_room_again_later() -> None:
    grouping, ledger = Grouping(most_waiting=2), Ledger()
    callers = await start(grouping, ledger, range(3))
    with pytest.raises(TooManyWaiting):
        await grouping.verdict(ledger.write, 3)
    ledger.go.set()
    assert await asyncio.gather(*callers) == [0, 2, 4]
    assert await grouping.verdict(ledger.write, 3) == 6


@pytest.mark.parametrize(("seconds_left", "refusals"), [(3, 1), (5, 0)])
async def test_whose_turn_would_come_too_late_is_refused_at_once(seconds_left: int, refusals: int) -> None:
    """A write takes two seconds. Before the caller's own come two: the one under way, and that of a full group."""
    grouping, ledger = Grouping(largest=2), Ledger()
    callers = await start(grouping, ledger, range(3))
    grouping._pace = 2
    deadlines._ends_at.set(asyncio.get_running_loop().time() + seconds_left)
    late = asyncio.create_task(grouping.verdict(ledger.write, 3))
    await asyncio.sleep(0)
    assert late.done() == refusals
    ledger.go.set()
    answers = await asyncio.gather(*callers, late, return_exceptions=True)
    assert [type(answer) for answer in answers].count(TooManyWaiting) == refusals
    assert answers[:3] == [0, 2, 4]


async def test_how_long_a_write_takes_is_measured() -> None:
    grouping, ledger = Grouping(), Ledger()
    asyncio.get_running_loop().call_later(0.05, ledger.go.set)
    await grouping.verdict(ledger.write, 1)
    assert 0.04 < grouping._pace < 5
