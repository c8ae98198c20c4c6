"""Task 3.4: what changes and what tells of it, in one transaction."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from workbook.lesson.task import Task, Wrong
from workbook.props.meeting import Call, Connection, Stage, stage
from workbook.props.outbox import BOOKINGS, CANCELLED, CONFIRMED, CREATED, OUTBOX, PENDING, Outbox
from workbook.props.scratch import scratch_tables
from workbook.tasks.phase3.wrong_confirm import WRONG

Confirm = Callable[[Connection, uuid.UUID], Awaitable[Any]]
MOST_STATEMENTS = 6

CANCEL = "UPDATE bookings SET status = 'CANCELLED' WHERE id = %s AND status = 'PENDING'"


async def check(confirm: Confirm) -> str:
    """Moved or not; a death before each statement; a caller who thinks better of it; then two at once."""
    async with scratch_tables(BOOKINGS, OUTBOX) as where, stage(where) as met:
        outbox = Outbox(met.watcher)
        for promise in (_moves, _leaves_alone, _dies, _undone, _meets):
            await promise(confirm, met, outbox)
    return "confirmed exactly when a row tells of it: alone, dead before any statement, undone by its caller, raced"


async def _moves(confirm: Confirm, met: Stage, outbox: Outbox) -> None:
    booking_id, other = await outbox.booking(), await outbox.booking()
    said = await _confirmed(confirm, met.first, booking_id)
    status, told = await outbox.status(booking_id), await outbox.told(booking_id)
    what = "a PENDING booking"
    if status != CONFIRMED:
        raise Wrong(f"{what} is {status} after confirm: CONFIRMED is right")
    if told != [CREATED]:
        raise Wrong(
            f"{what} is CONFIRMED, and the outbox tells {told} of it: one row of kind {CREATED!r} is right. Whoever "
            "was not listening at that moment can still read a row"
        )
    if said is not True:
        raise Wrong(f"{what} was confirmed, confirm gives {said!r}: True is right")
    if (await outbox.status(other), await outbox.told(other)) != (PENDING, []):
        raise Wrong(f"{what} was confirmed, and another one with it: name the booking in WHERE")


async def _leaves_alone(confirm: Confirm, met: Stage, outbox: Outbox) -> None:
    for before in (CONFIRMED, CANCELLED, None):
        booking_id = await outbox.booking(before) if before else uuid.uuid4()
        said = await _confirmed(confirm, met.first, booking_id)
        status, told = await outbox.status(booking_id), await outbox.told(booking_id)
        what = f"a booking that is {before} already" if before else "a booking that does not exist"
        if before and status != before:
            raise Wrong(f"{what} is {status} after confirm: only from PENDING, and the UPDATE itself must ask")
        if told:
            raise Wrong(f"{what} was not moved, and the outbox tells {told}: nothing happened, so nothing is told")
        if said is not False:
            raise Wrong(f"{what}: confirm gives {said!r}, False is right")


async def _dies(confirm: Confirm, met: Stage, outbox: Outbox) -> None:
    for at in range(1, MOST_STATEMENTS):
        booking_id = await outbox.booking()
        died = await met.dies(at, _call(confirm, booking_id))
        status, told = await outbox.status(booking_id), await outbox.told(booking_id)
        if (status, len(told)) not in ((PENDING, 0), (CONFIRMED, 1)):
            harm = (
                "a row tells of it: everybody hears what never happened" if told else "no row tells of it: nobody hears"
            )
            raise Wrong(
                f"its process died before statement {at}: the booking is {status}, and {harm}. Both or neither: one "
                "transaction around both"
            )
        if not died:
            return


async def _undone(confirm: Confirm, met: Stage, outbox: Outbox) -> None:
    booking_id = await outbox.booking()
    async with met.second.transaction(force_rollback=True):
        await _confirmed(confirm, met.second, booking_id)
    if (await outbox.status(booking_id), await outbox.told(booking_id)) != (PENDING, []):
        raise Wrong(
            "the caller had a transaction of its own and undid it, and part of confirm stayed: use the connection that "
            "you get, and connection.transaction() for the block"
        )


async def _meets(confirm: Confirm, met: Stage, outbox: Outbox) -> None:
    """A retry confirms at the same moment; or the user cancels."""
    for rival in ("a retry confirms", "its user cancels"):
        for at in range(2, MOST_STATEMENTS):
            if not await _meeting(confirm, met, outbox, rival, at):
                break
        await _meeting(confirm, met, outbox, rival, None)


async def _meeting(confirm: Confirm, met: Stage, outbox: Outbox, rival: str, at: int | None) -> bool:
    booking_id = await outbox.booking()
    one = _call(confirm, booking_id)
    other: Call = one if rival == "a retry confirms" else lambda connection: _cancelled(connection, booking_id)
    said = await (met.meet_at_commit(one, other) if at is None else met.meet(at, one, other))
    if said is None:
        return False
    status, told = await outbox.status(booking_id), await outbox.told(booking_id)
    if sorted(said) != [False, True] or len(told) != (status == CONFIRMED):
        raise Wrong(
            f"a booking is confirmed, and {rival} at that moment: told {list(said)}, and in the end it is {status} "
            f"with {len(told)} rows. One of the two moves it, and only that one is told of: let the UPDATE decide, and "
            "look at its rowcount"
        )
    return True


async def _cancelled(connection: Connection, booking_id: uuid.UUID) -> bool:
    return (await connection.execute(CANCEL, [booking_id])).rowcount == 1


def _call(confirm: Confirm, booking_id: uuid.UUID) -> Call:
    return lambda connection: _confirmed(confirm, connection, booking_id)


async def _confirmed(confirm: Confirm, connection: Connection, booking_id: uuid.UUID) -> Any:
    try:
        return await confirm(connection, booking_id)
    except psycopg.ProgrammingError as error:
        raise Wrong(f"PostgreSQL does not take a statement: {error}") from error


TASK = Task(
    id="3.4",
    title="One transaction for both",
    names=("confirm",),
    hints=(
        "Two writes to one database. What does PostgreSQL offer to let both happen, or neither?",
        (
            "In `async with connection.transaction():` the UPDATE, with the status that it starts from in its WHERE. "
            "Its rowcount says whether something happened. Only then the INSERT."
        ),
        (
            "UPDATE bookings SET status = 'CONFIRMED' WHERE id = … AND status = 'PENDING'. rowcount 0: return False. "
            "Else INSERT INTO outbox (booking_id, kind) with KIND, and return True; all in the block."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=60,  # the first check of a session starts the stack
)
