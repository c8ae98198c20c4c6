"""Task 1.9: a conditional UPDATE that no race can break."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import psycopg
from booking_service.domain import Status

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.scratch import scratch_bookings

Connection = psycopg.AsyncConnection[Any]
Move = Callable[[Connection, uuid.UUID, Status, str], Awaitable[Any]]

PENDING, CONFIRMED, CANCELLED = Status.PENDING, Status.CONFIRMED, Status.CANCELLED
LEGAL = ((PENDING, CONFIRMED), (PENDING, CANCELLED), (CONFIRMED, CANCELLED))


async def check(move: Move) -> str:
    """Every pair of statuses alone, then two moves of one booking at once, made to meet."""
    async with scratch_bookings() as where, AsyncExitStack() as opened:
        first, second, watcher = [
            await opened.enter_async_context(await psycopg.AsyncConnection.connect(**where, autocommit=True))
            for _ in range(3)
        ]
        for origin in reversed(Status):  # CANCELLED to CONFIRMED first: it is the mistake that matters most
            for target in (CONFIRMED, CANCELLED, PENDING):
                await _alone(move, first, origin, target)
        for late in (CONFIRMED, CANCELLED):
            await _meeting(move, first, second, watcher, late)
    return "nine moves alone and two races: what was cancelled stayed cancelled, and only one of two made the move"


async def _alone(move: Move, connection: Connection, origin: Status, target: Status) -> None:
    booking_id = await _stored(connection, origin)
    before = await _row(connection, booking_id)
    reason = "changed my mind" if target is CANCELLED else ""
    returned = await _moved(move, connection, booking_id, target, reason)
    after = await _row(connection, booking_id)
    what = f"move from {origin.name} to {target.name}"
    if (origin, target) not in LEGAL:
        if after != before:
            raise Wrong(f"{what} was made: the status must be one of origins(target)")
        if returned is not None:
            raise Wrong(f"{what} changed nothing, yet it returned {returned!r}: return None when no row was changed")
        return
    if after[:2] != (target, reason):
        raise Wrong(f"{what} left status {after[0]} and reason {after[1]!r}: it is legal, write both")
    if after[2] <= before[2]:
        raise Wrong(f"{what} left updated_at as it was: set it to now()")
    if returned is None or tuple(returned) != (target, reason):
        raise Wrong(f"{what} returned {returned!r}: return the row (status, reason), as RETURNING gives it")


async def _meeting(move: Move, first: Connection, second: Connection, watcher: Connection, late: Status) -> None:
    """The first cancels and has not committed yet; the second, which wants `late`, must wait and then see that."""
    booking_id = await _stored(first, PENDING)
    async with first.transaction():
        await _moved(move, first, booking_id, CANCELLED, "first")
        reason = "second" if late is CANCELLED else ""
        racing = asyncio.ensure_future(_moved(move, second, booking_id, late, reason))
        await _waits_for_a_lock(watcher, second.info.backend_pid, racing)
    returned = await racing
    status, reason, _ = await _row(first, booking_id)
    if (status, reason) != (CANCELLED, "first"):
        raise Wrong(
            f"a booking was cancelled and, at the same moment, moved to {late.name}: it ended {status} ({reason!r}); "
            "the condition must stand in the UPDATE itself, which looks again at the row it waited for"
        )
    if returned is not None:
        raise Wrong(f"two moves met and both said that they made it: {late.name} came second, it must return None")


async def _waits_for_a_lock(watcher: Connection, backend: int, racing: "asyncio.Future[Any]") -> None:
    while not racing.done():
        waiting = await watcher.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [backend])
        if (await waiting.fetchone()) == (True,):
            return
        await asyncio.sleep(0.005)


async def _moved(move: Move, connection: Connection, booking_id: uuid.UUID, target: Status, reason: str) -> Any:
    try:
        return await move(connection, booking_id, target, reason)
    except psycopg.ProgrammingError as error:
        if "produce records" in str(error):
            raise Wrong("the statement gives no rows back: end the UPDATE with RETURNING status, reason") from error
        raise Wrong(f"PostgreSQL does not take the statement: {error}") from error


async def _stored(connection: Connection, status: Status) -> uuid.UUID:
    booking_id = uuid.uuid4()
    await connection.execute(
        "INSERT INTO bookings (id, user_id, event_id, ticket_count, status, created_at, updated_at)"
        " VALUES (%s, 'ada', 'jazz-night', 2, %s, now() - interval '1 hour', now() - interval '1 hour')",
        [booking_id, status],
    )
    return booking_id


async def _row(connection: Connection, booking_id: uuid.UUID) -> tuple[Any, ...]:
    found = await connection.execute("SELECT status, reason, updated_at FROM bookings WHERE id = %s", [booking_id])
    row: tuple[Any, ...] = await found.fetchone() or ("gone", "", None)
    return row


_NO_CONDITION = """
    moved = await connection.execute(
        "UPDATE bookings SET status = %s, reason = %s, updated_at = now() WHERE id = %s RETURNING status, reason",
        [target, reason, booking_id],
    )
    return await moved.fetchone()
"""
_CONDITION_IN_PYTHON = """
    found = await connection.execute("SELECT status FROM bookings WHERE id = %s", [booking_id])
    (status,) = await found.fetchone()
    if status not in origins(target):
        return None
    moved = await connection.execute(
        "UPDATE bookings SET status = %s, reason = %s, updated_at = now() WHERE id = %s RETURNING status, reason",
        [target, reason, booking_id],
    )
    return await moved.fetchone()
"""
_NO_RETURNING = """
    moved = await connection.execute(
        "UPDATE bookings SET status = %s, reason = %s, updated_at = now() WHERE id = %s AND status = ANY(%s)",
        [target, reason, booking_id, origins(target)],
    )
    return await moved.fetchone()
"""
_LOOKS_AFTERWARDS = """
    await connection.execute(
        "UPDATE bookings SET status = %s, reason = %s, updated_at = now() WHERE id = %s AND status = ANY(%s)",
        [target, reason, booking_id, origins(target)],
    )
    found = await connection.execute(
        "SELECT status, reason FROM bookings WHERE id = %s AND status = %s", [booking_id, target]
    )
    return await found.fetchone()
"""
_ONLY_ANOTHER = """
    moved = await connection.execute(
        "UPDATE bookings SET status = %s, reason = %s, updated_at = now()"
        " WHERE id = %s AND status <> %s RETURNING status, reason",
        [target, reason, booking_id, target],
    )
    return await moved.fetchone()
"""
_STALE_TIME = """
    moved = await connection.execute(
        "UPDATE bookings SET status = %s, reason = %s WHERE id = %s AND status = ANY(%s) RETURNING status, reason",
        [target, reason, booking_id, origins(target)],
    )
    return await moved.fetchone()
"""

TASK = Task(
    id="1.9",
    title="A move that no race can break",
    names=("move",),
    hints=(
        "One statement. What you would ask in an `if` after a SELECT goes into the WHERE of the UPDATE.",
        "Two conditions: the id, and a status that is ANY of origins(target). RETURNING says whether it happened.",
        "UPDATE … SET three columns WHERE id = … AND status = ANY(…) RETURNING two columns; then await fetchone().",
    ),
    check=check,
    wrong=(
        WrongAnswer("no status condition", code=_NO_CONDITION, says="the status must be one of origins(target)"),
        WrongAnswer(
            "condition in Python", code=_CONDITION_IN_PYTHON, says="the condition must stand in the UPDATE itself"
        ),
        WrongAnswer("no RETURNING", code=_NO_RETURNING, says="the statement gives no rows back"),
        WrongAnswer("looks afterwards", code=_LOOKS_AFTERWARDS, says="return None when no row was changed"),
        WrongAnswer("any other status", code=_ONLY_ANOTHER, says="was made: the status must be one of origins"),
        WrongAnswer("updated_at forgotten", code=_STALE_TIME, says="left updated_at as it was"),
    ),
    seconds=30,  # the first check of a session starts the stack
)
