"""Task 2.2: tickets taken by one conditional UPDATE."""

import uuid
from collections.abc import Awaitable, Callable
from textwrap import indent
from typing import Any

import psycopg

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.ledger import Ledger
from workbook.props.meeting import Call, Connection, Stage, stage
from workbook.props.scratch import scratch_events

Take = Callable[[Connection, uuid.UUID, int], Awaitable[Any]]
MOST_STATEMENTS = 6

# tickets there, tickets wanted, and what is wrong with an answer that takes them, or does not
ALONE = (
    (0, 1, "the UPDATE needs a condition on `available`"),
    (1, 2, "enough for one is not enough for two: compare `available` with the tickets wanted"),
    (5, 3, "there were enough"),
    (2, 2, "the last tickets are for sale too: exactly as many as wanted is enough"),
)


async def check(take: Take) -> str:
    """Each case alone; then two calls that meet: first in between its statements, then before it is committed."""
    async with scratch_events() as where, stage(where) as met:
        ledger = Ledger(met.watcher)
        for there, wanted, why in ALONE:
            await _alone(take, met, ledger, (there, wanted), why)
        if (got := await _taken(take, met.first, uuid.uuid4(), 1)) is not None:
            raise Wrong(f"1 ticket of an event that does not exist: take gives {got!r}, None is right")
        for there, wanted, first_wanted in ((3, 2, 2), (5, 2, 1)):
            await _meeting(take, met, ledger, there, (wanted, first_wanted))
    return "enough, exactly enough, not enough; and in every race the row was sold once, with the right number left"


async def _alone(take: Take, met: Stage, ledger: Ledger, tickets: tuple[int, int], why: str) -> None:
    there, wanted = tickets
    event_id, other = await ledger.event(10, there), await ledger.event(10)
    got = await _taken(take, met.first, event_id, wanted)
    left = await ledger.left(event_id)
    what = f"{there} available, {wanted} wanted"
    right = there - wanted if wanted <= there else None
    if await ledger.left(other) != 10:
        raise Wrong(f"{what}: the tickets of another event went too. Name the event in WHERE")
    if left != (there if right is None else right):
        raise Wrong(f"{what}: afterwards `available` is {left}. {why}")
    if got != right or isinstance(got, bool):
        raise Wrong(
            f"{what}: `available` is {left} afterwards, take gives {got!r} and {right!r} is right: what is left as a "
            "number, None when there were not enough"
        )


async def _meeting(take: Take, met: Stage, ledger: Ledger, there: int, wanted: tuple[int, int]) -> None:
    """Two calls for one event, in each order that can happen."""
    for at in range(2, MOST_STATEMENTS):
        event_id = await ledger.event(10, there)
        results = await met.meet(at, *_calls(take, event_id, wanted))
        if results is None:
            break
        await _judged(ledger, event_id, there, wanted, results)
    event_id = await ledger.event(10, there)
    results = await met.meet_at_commit(*_calls(take, event_id, wanted))
    await _judged(ledger, event_id, there, wanted, results)


def _calls(take: Take, event_id: uuid.UUID, wanted: tuple[int, int]) -> tuple[Call, Call]:
    one, other = wanted
    return (
        lambda connection: _taken(take, connection, event_id, one),
        lambda connection: _taken(take, connection, event_id, other),
    )


async def _judged(
    ledger: Ledger, event_id: uuid.UUID, there: int, wanted: tuple[int, int], results: tuple[Any, Any]
) -> None:
    sold = sum(count for count, result in zip(wanted, results, strict=True) if result is not None)
    left = await ledger.left(event_id)
    what = f"{there} tickets, two calls at once want {wanted[0]} and {wanted[1]}, and take says {list(results)}"
    if left != there - sold or left < 0:
        raise Wrong(
            f"{what}: {sold} are sold and `available` is {left}. Between a look and a write someone else sells; let "
            "the UPDATE itself look, and count down from what is there then"
        )
    if (fitting := sum(wanted) <= there) and sold < sum(wanted):
        raise Wrong(f"{what}: one was sent away with {left} left. A row that someone else has changed is no refusal")
    if not fitting and sold == 0:
        raise Wrong(f"{what}: both were sent away with {left} left")


async def _taken(take: Take, connection: Connection, event_id: uuid.UUID, count: int) -> Any:
    try:
        return await take(connection, event_id, count)
    except psycopg.errors.SerializationFailure as error:
        raise Wrong(
            "two calls at once, and PostgreSQL made one of them fail: a stricter isolation level finds the race, and "
            "somebody has to try again. One conditional UPDATE waits and needs neither"
        ) from error
    except psycopg.ProgrammingError as error:
        if "produce records" in str(error):
            raise Wrong("the statement gives no rows back: end the UPDATE with RETURNING available") from error
        raise Wrong(f"PostgreSQL does not take the statement: {error}") from error


_ONE = """\
    taken = await connection.execute(
        "UPDATE events SET available = available - %s WHERE id = %s{condition} RETURNING available",
        [{values}],
    )
    row = await taken.fetchone()
    return row[0] if row else None
"""
_NO_CONDITION = _ONE.format(condition="", values="count, event_id")
_SOME_LEFT = _ONE.format(condition=" AND available > 0", values="count, event_id")
_OFF_BY_ONE = _ONE.format(condition=" AND available > %s", values="count, event_id, count")
_SELECT = """\
    found = await connection.execute("SELECT available FROM events WHERE id = %s", [event_id])
    row = await found.fetchone()
    if row is None or row[0] < count:
        return None
"""
_CHECK_THEN_ACT = _SELECT + _NO_CONDITION
_WRITE = """\
    written = await connection.execute(
        "UPDATE events SET available = %s WHERE id = %s AND available >= %s", [row[0] - count, event_id, count]
    )
    return row[0] - count if written.rowcount else None
"""
_SWAP = """\
    swapped = await connection.execute(
        "UPDATE events SET available = %s WHERE id = %s AND available = %s", [row[0] - count, event_id, row[0]]
    )
    return row[0] - count if swapped.rowcount else None
"""
_ABSOLUTE, _COMPARE_AND_SWAP = _SELECT + _WRITE, _SELECT + _SWAP
_LOCK_LET_GO = _CHECK_THEN_ACT.replace('WHERE id = %s", [event_id])', 'WHERE id = %s FOR UPDATE", [event_id])', 1)
_SUBQUERY = """\
    taken = await connection.execute(
        "UPDATE events SET available = available - %s"
        " WHERE id = (SELECT id FROM events WHERE id = %s AND available >= %s) RETURNING available",
        [count, event_id, count],
    )
    row = await taken.fetchone()
    return row[0] if row else None
"""
_NO_EVENT = _ONE.replace("WHERE id = %s{condition}", "WHERE available >= %s").format(values="count, count")
_SERIALIZABLE = (
    "    async with connection.transaction():\n"
    '        await connection.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")\n'
    f"{indent(_CHECK_THEN_ACT, '    ')}"
)
_OLD_NUMBER = """\
    taken = await connection.execute(
        "UPDATE events SET available = available - %s WHERE id = %s AND available >= %s RETURNING available + %s",
        [count, event_id, count, count],
    )
    row = await taken.fetchone()
    return row[0] if row else None
"""

TASK = Task(
    id="2.2",
    title="One conditional UPDATE",
    names=("take",),
    hints=(
        "Task 1.9 again, with a number: what you would ask in an `if` goes into the WHERE of the UPDATE.",
        "SET available = available - %s counts down from what is there then. The condition: available >= %s.",
        (
            "UPDATE events SET available = available - … WHERE id = … AND available >= … RETURNING available. "
            "Then fetchone(): its first column, or None when there is no row."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer("looks, then acts", code=_CHECK_THEN_ACT, says="4 are sold and `available` is -1"),
        WrongAnswer("no condition", code=_NO_CONDITION, says="the UPDATE needs a condition on `available`"),
        WrongAnswer("some are left", code=_SOME_LEFT, says="enough for one is not enough for two"),
        WrongAnswer("off by one", code=_OFF_BY_ONE, says="the last tickets are for sale too"),
        WrongAnswer("writes the number that it read", code=_ABSOLUTE, says="3 are sold and `available` is 3"),
        WrongAnswer(
            "gives up when it lost a race", code=_COMPARE_AND_SWAP, says="someone else has changed is no refusal"
        ),
        WrongAnswer("a stricter isolation level", code=_SERIALIZABLE, says="somebody has to try again"),
        WrongAnswer("every event's tickets", code=_NO_EVENT, says="the tickets of another event went too"),
        WrongAnswer("a lock that is gone at once", code=_LOCK_LET_GO, says="4 are sold and `available` is -1"),
        WrongAnswer("the condition in a subquery", code=_SUBQUERY, says="4 are sold and `available` is -1"),
        WrongAnswer("the number from before", code=_OLD_NUMBER, says="take gives 5 and 2 is right"),
    ),
    seconds=60,  # the first check of a session starts the stack
)
