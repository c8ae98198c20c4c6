"""Task 2.8: several replicas share unfinished bookings, each takes its own."""

import uuid
from collections.abc import Collection
from contextlib import AsyncExitStack
from typing import Any

import psycopg

from workbook.lesson.task import Task, Wrong
from workbook.props.scratch import scratch_bookings
from workbook.tasks.phase2.wrong_lease import WRONG

Connection = psycopg.AsyncConnection[Any]
LEASE, LIMIT, BATCH = 30, 60, 2
VALUES = {"lease": LEASE, "limit": LIMIT, "batch": BATCH}
OLD, FRESH = 2 * LIMIT, 1  # seconds since a booking was made

STORE = """
INSERT INTO bookings (id, user_id, event_id, ticket_count, status, given_back, created_at, updated_at, settle_at)
SELECT %(id)s, 'ada', 'jazz-night', 2, %(status)s, %(given_back)s, made, made, made
FROM (SELECT now() - make_interval(secs => %(age)s)) AS m (made)
"""
TIME_PASSES = "UPDATE bookings SET settle_at = settle_at - make_interval(secs => %s)"

LEAVE_ALONE = (
    ("PENDING", FRESH, False, "is PENDING for a second: its caller is still at work, %(limit)s counts from created_at"),
    ("CONFIRMED", OLD, False, "is CONFIRMED: it is finished"),
    ("CANCELLED", OLD, True, "is CANCELLED and has given its tickets back: nothing is left to do"),
)


async def check(take: str) -> str:
    """What is taken, what is not; two replicas at one moment; a lease that holds, and then runs out."""
    async with scratch_bookings(phase=2) as where, AsyncExitStack() as opened:
        first, second = [
            await opened.enter_async_context(await psycopg.AsyncConnection.connect(**where, autocommit=True))
            for _ in range(2)
        ]
        await second.execute("SET lock_timeout = 300")
        await _takes_the_right_ones(take, first)
        await _each_its_own(take, first, second)
        await _leases(take, first, second)
    return f"two replicas at once took {BATCH} each, none twice; a lease of {LEASE} s held, and then ran out"


async def _takes_the_right_ones(take: str, connection: Connection) -> None:
    for status, age, given_back, why in LEAVE_ALONE:
        await _stored(connection, status, age, given_back=given_back)
        if await _taken(take, connection):
            raise Wrong(f"a booking was taken that {why}")
    for status, age in (("PENDING", OLD), ("CANCELLED", FRESH)):
        booking_id = await _stored(connection, status, age)
        taken = await _taken(take, connection)
        if taken != [(booking_id, status)]:
            what = "older than the limit" if status == "PENDING" else "that has not given its tickets back"
            rows = ", ".join(f"({', '.join(map(str, row[:3]))}{', …' * (len(row) > 3)})" for row in taken) or "no row"
            raise Wrong(f"a {status} booking {what} gives {rows}: one row of (id, status) is right")
        await connection.execute("DELETE FROM bookings")


async def _each_its_own(take: str, first: Connection, second: Connection) -> None:
    """The first replica has taken some and not yet committed; the second must not wait for it."""
    kinds = ("PENDING", "CANCELLED")
    everybody = {await _stored(first, kinds[number % 2], OLD + number) for number in range(3 * BATCH)}
    async with first.transaction():
        mine = _ids(await _taken(take, first))
        try:
            theirs = _ids(await _taken(take, second))
        except psycopg.errors.LockNotAvailable as error:
            raise Wrong(
                "a second replica waits for the rows of the first, and a third would wait for both: pass over what "
                "others hold, FOR UPDATE SKIP LOCKED"
            ) from error
    for taken in (mine, theirs):
        if len(taken) != BATCH:
            raise Wrong(f"six are unfinished and {len(taken)} were taken: %(batch)s at most, here {BATCH}: LIMIT")
    _apart(mine, theirs, "two replicas took at the same moment")
    rest = _ids(await _taken(take, second))
    _apart(mine | theirs, rest, "four bookings were taken and committed, and the next take")
    if rest != everybody - mine - theirs:
        raise Wrong(
            f"six are unfinished, four were taken, and the next take finds {len(rest)}: the other two are right"
        )
    _apart(everybody, _ids(await _taken(take, second)), "all six were taken and committed, and the next take")


async def _leases(take: str, first: Connection, second: Connection) -> None:
    """All six are taken now. Time passes by moving settle_at, which nobody has to wait for."""
    await first.execute(TIME_PASSES, [LEASE - 5])
    if taken := await _taken(take, second):
        raise Wrong(f"{LEASE - 5} s into a lease of {LEASE} s, {len(taken)} were taken: settle_at is now() + the lease")
    await first.execute(TIME_PASSES, [6])
    found = [row for _ in range(3) for row in await _taken(take, second)]
    if len(found) != 3 * BATCH:
        raise Wrong(
            f"a replica died and its lease of {LEASE} s is over: {len(found)} were found, all six are right. Look at "
            "settle_at <= now(), set it to now() + %(lease)s, in seconds; and %(limit)s counts from created_at"
        )


def _apart(before: Collection[uuid.UUID], after: Collection[uuid.UUID], what: str) -> None:
    if both := len(set(before) & set(after)):
        raise Wrong(
            f"{what}: {both} twice. A lock is gone with its transaction: SET settle_at to the end of the lease, in the "
            "UPDATE that takes, and look at it for PENDING and for CANCELLED ones (AND binds closer than OR)"
        )


async def _taken(take: str, connection: Connection) -> list[tuple[Any, ...]]:
    try:
        return await (await connection.execute(take, VALUES)).fetchall()
    except psycopg.ProgrammingError as error:
        if "produce records" in str(error):
            raise Wrong("the statement gives no rows back: end the UPDATE with RETURNING id, status") from error
        raise Wrong(f"PostgreSQL does not take the statement: {error}") from error


def _ids(rows: list[tuple[Any, ...]]) -> set[uuid.UUID]:
    return {row[0] for row in rows}


async def _stored(connection: Connection, status: str, age: float, *, given_back: bool = False) -> uuid.UUID:
    booking_id = uuid.uuid4()
    await connection.execute(STORE, {"id": booking_id, "status": status, "given_back": given_back, "age": age})
    return booking_id


TASK = Task(
    id="2.8",
    title="Each replica takes its own",
    names=("TAKE",),
    hints=(
        (
            "A lock lasts as long as its transaction, and this one must be short: the work comes after it. What is "
            "left in the row that tells the others to keep away, for a while?"
        ),
        (
            "UPDATE bookings SET settle_at = now() + make_interval(secs => %(lease)s) WHERE id IN (SELECT id …) "
            "RETURNING id, status. The SELECT ends with LIMIT %(batch)s FOR UPDATE SKIP LOCKED."
        ),
        (
            "In the SELECT: settle_at <= now() AND (PENDING and created_at < now() - make_interval(secs => %(limit)s), "
            "OR CANCELLED and NOT given_back). Brackets around the OR. ORDER BY settle_at takes the oldest first."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=60,  # the first check of a session starts the stack
)
