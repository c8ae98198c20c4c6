"""Task 3.3: a message counted once, however often it comes and whatever dies in between."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from workbook.lesson.task import Task, Wrong
from workbook.props.meeting import Call, Connection, Stage, stage
from workbook.props.scratch import scratch_tables
from workbook.tasks.phase3.wrong_once import WRONG

CountOnce = Callable[[Connection, uuid.UUID, str], Awaitable[Any]]
CONFIRMED, CANCELLED = "CONFIRMED", "CANCELLED"
MOST_STATEMENTS = 6

SEEN = "CREATE TABLE seen (message_id uuid PRIMARY KEY)"
TOTALS = "CREATE TABLE totals (status text PRIMARY KEY, count bigint NOT NULL)"


class Counts:
    """The two tables, from outside."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def total(self, status: str = CONFIRMED) -> int:
        found = await self._connection.execute("SELECT count FROM totals WHERE status = %s", [status])
        return int((await found.fetchone() or (0,))[0])

    async def seen(self, message_id: uuid.UUID) -> bool:
        found = await self._connection.execute("SELECT FROM seen WHERE message_id = %s", [message_id])
        return found.rowcount == 1

    async def note(self) -> uuid.UUID:
        """A message that another process has counted."""
        message_id = uuid.uuid4()
        await self._connection.execute("INSERT INTO seen (message_id) VALUES (%s)", [message_id])
        return message_id

    async def clear(self) -> None:
        await self._connection.execute("TRUNCATE seen, totals")


async def check(count_once: CountOnce) -> str:
    """New messages, the same again, another process's; then a death before each statement; then two at once."""
    async with scratch_tables(SEEN, TOTALS) as where, stage(where) as met:
        counts = Counts(met.watcher)
        for promise in (_new, _again, _of_another_process, _dies, _meets):
            await promise(count_once, met, counts)
            await counts.clear()
    return "again, from another process, twice at once, or dead halfway: each message is in the total once"


async def _new(count_once: CountOnce, met: Stage, counts: Counts) -> None:
    right = {CONFIRMED: 0, CANCELLED: 0}
    for status in (CONFIRMED, CONFIRMED, CANCELLED, CONFIRMED):
        right[status] += 1
        said = await _counted(count_once, met.first, uuid.uuid4(), status)
        totals = {each: await counts.total(each) for each in right}
        if totals != right:
            raise Wrong(f"a new message {status}, number {sum(right.values())}: totals are {totals}, {right} are right")
        if said is not True:
            raise Wrong(f"a new message {status} was counted, count_once gives {said!r}: True is right")


async def _again(count_once: CountOnce, met: Stage, counts: Counts) -> None:
    message_id = uuid.uuid4()
    for right in (True, False, False):
        said = await _counted(count_once, met.first, message_id, CONFIRMED)
        if (total := await counts.total()) != 1:
            raise Wrong(
                f"one message came again and the total is {total}: count only if the INSERT into seen was the first, "
                "as its rowcount tells"
            )
        if said is not right:
            raise Wrong(
                f"a message came {'again' if not right else 'first'}: count_once gives {said!r}, {right} is right"
            )
    if not await counts.seen(message_id):
        raise Wrong(
            "a message was counted and is not in seen: the process after this one will not know, and counts it again"
        )


async def _of_another_process(count_once: CountOnce, met: Stage, counts: Counts) -> None:
    message_id = await counts.note()
    said = await _counted(count_once, met.first, message_id, CONFIRMED)
    if said is not False or (total := await counts.total()):
        total = await counts.total()
        raise Wrong(
            f"an earlier process counted a message, its id is in seen; it comes again, count_once gives {said!r} and "
            f"adds {total}. What this process remembers is not enough: False, and nothing added"
        )


async def _dies(count_once: CountOnce, met: Stage, counts: Counts) -> None:
    for at in range(1, MOST_STATEMENTS):
        await counts.clear()
        message_id = uuid.uuid4()
        died = await met.dies(at, _call(count_once, message_id))
        half = (await counts.seen(message_id), await counts.total())
        await _counted(count_once, met.first, message_id, CONFIRMED)
        if (total := await counts.total()) != 1:
            left = "noted and not counted" if half[0] else "counted and not noted"
            raise Wrong(
                f"its process died before statement {at}: the message was {left}. It came again, and the total is "
                f"{total}; 1 is right. Both or neither: one transaction around all of it"
            )
        if not died:
            return


async def _meets(count_once: CountOnce, met: Stage, counts: Counts) -> None:
    """Two processes with one message, as when a partition moves; then with two messages of one status."""
    for messages in (1, 2):
        for at in range(2, MOST_STATEMENTS):
            if not await _meeting(count_once, met, counts, messages, at):
                break
        await _meeting(count_once, met, counts, messages, None)


async def _meeting(count_once: CountOnce, met: Stage, counts: Counts, messages: int, at: int | None) -> bool:
    await counts.clear()
    await _counted(count_once, met.first, uuid.uuid4(), CONFIRMED)
    ids = [uuid.uuid4()] * 2 if messages == 1 else [uuid.uuid4(), uuid.uuid4()]
    calls = [_call(count_once, message_id) for message_id in ids]
    said = await (met.meet_at_commit(*calls) if at is None else met.meet(at, *calls))
    if said is None:
        return False
    added, right = await counts.total() - 1, [True, False] if messages == 1 else [True, True]
    if added != messages or sorted(said) != sorted(right):
        who = "one message at once" if messages == 1 else "two messages of one status at once"
        raise Wrong(
            f"two processes have {who}: told {list(said)}, and the total grew by {added}; {messages} is right. Let the "
            "statement that writes decide: ON CONFLICT DO NOTHING and its rowcount for seen, count + 1 for totals"
        )
    return True


def _call(count_once: CountOnce, message_id: uuid.UUID) -> Call:
    return lambda connection: _counted(count_once, connection, message_id, CONFIRMED)


async def _counted(count_once: CountOnce, connection: Connection, message_id: uuid.UUID, status: str) -> Any:
    try:
        return await count_once(connection, message_id, status)
    except psycopg.errors.UniqueViolation as error:
        table = error.diag.table_name
        raise Wrong(
            f"count_once raised UniqueViolation: its row was in {table} already, perhaps since a moment ago. ON "
            f"CONFLICT {'DO NOTHING, and rowcount says who was first' if table == 'seen' else '… DO UPDATE'}"
        ) from error
    except psycopg.ProgrammingError as error:
        raise Wrong(f"PostgreSQL does not take a statement: {error}") from error


TASK = Task(
    id="3.3",
    title="Counted once",
    names=("count_once",),
    hints=(
        (
            "As in task 2.3: the row with the message's id is the memory, and only one process can insert it. What "
            "must stand or fall together with it?"
        ),
        (
            "`async with connection.transaction():` INSERT INTO seen … ON CONFLICT DO NOTHING; rowcount 0: it was "
            "counted. Else add 1 to the total, whose row may not be there yet."
        ),
        (
            "INSERT INTO totals (status, count) VALUES (%s, 1) ON CONFLICT (status) DO UPDATE SET count = totals.count "
            "+ 1. Return True in the block; return False in it when nothing was inserted into seen."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=60,  # the first check of a session starts the stack
)
