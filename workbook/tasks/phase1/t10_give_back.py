"""Task 1.10: a booking that holds no connection while it waits for someone else."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.scratch import scratch_bookings

Reserve = Callable[[], Awaitable[object]]
Book = Callable[[AsyncConnectionPool, uuid.UUID, Reserve], Awaitable[object]]
SIZE = 2


class SoldOut(Exception):
    """What the other service answers in one of the tries."""


async def check(book: Book) -> str:
    """Looks at the pool and at the row at the moment of the call, then lets the call fail."""
    async with scratch_bookings() as where:
        options = {**where, "autocommit": True}
        async with AsyncConnectionPool(kwargs=options, min_size=SIZE, max_size=SIZE, timeout=2, open=False) as pool:
            await pool.wait()
            await _succeeds(book, pool, where)
            await _is_refused(book, pool, where)
    return f"during the call {SIZE} of {SIZE} connections are free and the PENDING row is committed; none is ever lost"


async def _succeeds(book: Book, pool: AsyncConnectionPool, where: dict[str, Any]) -> None:
    booking_id = uuid.uuid4()
    called: list[str] = []

    async def reserve() -> None:
        called.append(await _status(where, booking_id))
        _all_free(pool, "while reserve() runs")

    await _booked(book, pool, booking_id, reserve)
    _all_free(pool, "after a booking")
    if called != ["PENDING"]:
        seen = ", then ".join(called) or "never called"
        raise Wrong(
            f"at reserve() another connection should see the booking PENDING; seen: {seen}. Store and commit it first"
        )
    if (status := await _status(where, booking_id)) != "CONFIRMED":
        raise Wrong(f"after reserve() the booking is {status}: it should be CONFIRMED, and committed")


async def _is_refused(book: Book, pool: AsyncConnectionPool, where: dict[str, Any]) -> None:
    booking_id = uuid.uuid4()

    async def reserve() -> None:
        raise SoldOut

    try:
        await _booked(book, pool, booking_id, reserve)
    except SoldOut:
        pass
    else:
        raise Wrong("reserve() raised SoldOut and book returned: the caller must hear of it")
    _all_free(pool, "after reserve() raised")
    if (status := await _status(where, booking_id)) != "PENDING":
        raise Wrong(f"reserve() raised and the booking is {status}: it should still be PENDING")


async def _booked(book: Book, pool: AsyncConnectionPool, booking_id: uuid.UUID, reserve: Reserve) -> None:
    try:
        await book(pool, booking_id, reserve)
    except PoolTimeout as error:
        raise Wrong("no connection came free for 2 s: one that was borrowed was never given back") from error


def _all_free(pool: AsyncConnectionPool, moment: str) -> None:
    free = pool.get_stats().get("pool_available", 0)
    if free != SIZE:
        raise Wrong(f"{moment} {free} of {SIZE} connections are free: give each back before you wait for someone else")


async def _status(where: dict[str, Any], booking_id: uuid.UUID) -> str:
    async with await psycopg.AsyncConnection.connect(**where) as connection:
        found = await connection.execute("SELECT status FROM bookings WHERE id = %s", [booking_id])
        row = await found.fetchone()
    return str(row[0]) if row else "not there"


_HOLDS = """
    async with pool.connection() as connection:
        await connection.execute(STORE, [booking_id])
        await reserve()
        await connection.execute(CONFIRM, [booking_id])
"""
_NEVER_BACK = """
    connection = await pool.getconn()
    await connection.execute(STORE, [booking_id])
    await pool.putconn(connection)
    await reserve()
    connection = await pool.getconn()
    await connection.execute(CONFIRM, [booking_id])
"""
_LOST_ON_FAILURE = """
    connection = await pool.getconn()
    await connection.execute(STORE, [booking_id])
    await reserve()
    await connection.execute(CONFIRM, [booking_id])
    await pool.putconn(connection)
"""
_RESERVE_FIRST = """
    await reserve()
    async with pool.connection() as connection:
        await connection.execute(STORE, [booking_id])
        await connection.execute(CONFIRM, [booking_id])
"""
_SWALLOWS = """
    async with pool.connection() as connection:
        await connection.execute(STORE, [booking_id])
    try:
        await reserve()
    except Exception:
        return
    async with pool.connection() as connection:
        await connection.execute(CONFIRM, [booking_id])
"""

TASK = Task(
    id="1.10",
    title="Give the connection back",
    names=("book",),
    hints=(
        "Which of the three lines needs a connection, and which only needs time?",
        "A connection goes back at the end of its `async with` block. One block may become two.",
        "One `async with pool.connection()` around STORE alone, reserve outside of it, then a block around CONFIRM.",
    ),
    check=check,
    wrong=(
        WrongAnswer("holds it across the call", code=_HOLDS, says="while reserve() runs 1 of 2 connections are free"),
        WrongAnswer("never gives the second one back", code=_NEVER_BACK, says="after a booking 1 of 2"),
        WrongAnswer("gives back only at the end", code=_LOST_ON_FAILURE, says="while reserve() runs 1 of 2"),
        WrongAnswer("reserves before anything is stored", code=_RESERVE_FIRST, says="seen: not there"),
        WrongAnswer("swallows the refusal", code=_SWALLOWS, says="the caller must hear of it"),
    ),
    seconds=30,  # the first check of a session starts the stack
)
