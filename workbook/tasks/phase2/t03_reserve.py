"""Task 2.3: tickets reserved once for each booking, however often it asks and whatever dies in between."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from workbook.lesson.task import Task, Wrong
from workbook.props.ledger import Ledger
from workbook.props.meeting import Call, Connection, Stage, stage
from workbook.props.scratch import scratch_events
from workbook.tasks.phase2.wrong_reserve import WRONG

Reserve = Callable[[Connection, uuid.UUID, uuid.UUID, int], Awaitable[Any]]
MOST_STATEMENTS = 8


async def check(reserve: Reserve) -> str:
    """Each promise alone; then a process that dies before each of its statements; then two calls that meet."""
    async with scratch_events() as where, stage(where) as met:
        ledger = Ledger(met.watcher)
        for promise in (_once, _sold_out, _other_wish, _given_back, _dies, _meets):
            await promise(reserve, met, ledger)
    return "asked again, asked twice at once, or dead halfway: a booking holds its tickets once, or none"


async def _once(reserve: Reserve, met: Stage, ledger: Ledger) -> None:
    event_id, booking_id = await ledger.event(10), uuid.uuid4()
    for call, why in (
        ("reserve", "take the tickets, and insert the booking's row"),
        ("the same call again, as a retry,", "its answer was lost, its tickets are set aside: look for the row first"),
    ):
        said = await _reserved(reserve, met.first, booking_id, event_id, 2)
        left, held = await ledger.left(event_id), await ledger.reservation(booking_id)
        what = f"10 tickets, a booking wants 2: {call} says {said!r} and leaves {left}"
        if left != 8:
            raise Wrong(f"{what}; 8 must be left. {why[0].upper()}{why[1:]}")
        if held is None or (held.event_id, held.ticket_count, held.released_at) != (event_id, 2, None):
            raise Wrong(f"{what}, but in reservations stands {held}: event and count belong there, not yet released")
        if said is not True:
            raise Wrong(f"{what}; the booking holds its tickets: True is right")


async def _sold_out(reserve: Reserve, met: Stage, ledger: Ledger) -> None:
    event_id, booking_id = await ledger.event(10, 1), uuid.uuid4()
    for call in ("reserve", "the same call again"):
        said = await _reserved(reserve, met.first, booking_id, event_id, 2)
        left, held = await ledger.left(event_id), await ledger.reservation(booking_id)
        if held is not None and held.released_at is None:
            raise Wrong(
                f"1 ticket is left and 2 are wanted: {call} says {said!r}, takes {1 - left}, and leaves a live "
                f"reservation of {held.ticket_count}. A retry believes it: undo the INSERT, raise psycopg.Rollback"
            )
        if said is not False or left != 1:
            raise Wrong(f"1 ticket is left and 2 are wanted: {call} says {said!r} and leaves {left}; False, and 1 left")


async def _other_wish(reserve: Reserve, met: Stage, ledger: Ledger) -> None:
    event_id, other_event, booking_id = await ledger.event(10), await ledger.event(10), uuid.uuid4()
    await _reserved(reserve, met.first, booking_id, event_id, 2)
    for wished, count, what in ((event_id, 3, "3 of the same event"), (other_event, 2, "2 of another event")):
        try:
            said = await _reserved(reserve, met.first, booking_id, wished, count)
        except ValueError:
            said = ValueError
        lefts = (await ledger.left(event_id), await ledger.left(other_event))
        if said is not ValueError:
            raise Wrong(
                f"the booking holds 2 tickets and asks for {what}: reserve says {said!r}. No retry but an error "
                "of the caller, who would sell what is not there: ValueError"
            )
        if lefts != (8, 10):
            raise Wrong(f"the booking asked for {what} and got ValueError; tickets left are {lefts}, (8, 10) is right")


async def _given_back(reserve: Reserve, met: Stage, ledger: Ledger) -> None:
    event_id = await ledger.event(10)
    gone = await ledger.reserved(event_id, 2, released=True)
    for booking_id, what in (
        (gone, "gave its tickets back"),
        (await ledger.tombstone(), "was released before it came"),
    ):
        try:
            said = await _reserved(reserve, met.first, booking_id, event_id, 2)
        except ValueError as error:
            raise Wrong(
                f"a booking {what}; late, it reserves, and reserve raised ValueError: a tombstone has no event and no "
                "count to compare. Look at released_at first: False"
            ) from error
        if said is not False or await ledger.left(event_id) != 10:
            raise Wrong(
                f"a booking {what}; late, it reserves, is told {said!r}, and {await ledger.left(event_id)} of 10 are "
                "left. The booking is over, nobody will ever give these back: False, and nothing taken"
            )


async def _dies(reserve: Reserve, met: Stage, ledger: Ledger) -> None:
    for at in range(1, MOST_STATEMENTS):
        event_id, booking_id = await ledger.event(10), uuid.uuid4()
        died = await met.dies(at, _call(reserve, booking_id, event_id, 2))
        left, held = await ledger.left(event_id), await ledger.reservation(booking_id)
        if (left, held is None) not in ((10, True), (8, False)):
            row = "a row that says so" if held else "no row that says so"
            raise Wrong(
                f"its process died before statement {at}: {10 - left} tickets are taken, with {row}. Both or neither: "
                "one transaction around all of it"
            )
        if not died:
            return


async def _meets(reserve: Reserve, met: Stage, ledger: Ledger) -> None:
    """Two calls for one booking, which is what a retry after a deadline is; then two bookings and tickets for one."""
    for tickets, bookings in ((10, 1), (3, 2)):
        for at in range(2, MOST_STATEMENTS):
            if not await _meeting(reserve, met, ledger, (tickets, bookings), at):
                break
        await _meeting(reserve, met, ledger, (tickets, bookings), None)


async def _meeting(
    reserve: Reserve, met: Stage, ledger: Ledger, setting: tuple[int, int], at: int | None
) -> tuple[Any, Any] | None:
    tickets, bookings = setting
    event_id, ids = (
        await ledger.event(10, tickets),
        [uuid.uuid4()] * 2 if setting[1] == 1 else [uuid.uuid4(), uuid.uuid4()],
    )
    calls = [_call(reserve, booking_id, event_id, 2) for booking_id in ids]
    said = await (met.meet_at_commit(*calls) if at is None else met.meet(at, *calls))
    if said is None:
        return None
    left, right = await ledger.left(event_id), (True, True) if bookings == 1 else (True, False)
    if left != tickets - 2 or sorted(said) != sorted(right):
        who = "one booking asks twice at once" if bookings == 1 else "two bookings ask at once"
        raise Wrong(
            f"{tickets} tickets, {who} for 2: told {list(said)} and {left} left; {list(right)} and {tickets - 2} are "
            "right. Let the INSERT decide who is first: ON CONFLICT DO NOTHING, and look at what it did"
        )
    return said


def _call(reserve: Reserve, booking_id: uuid.UUID, event_id: uuid.UUID, count: int) -> Call:
    return lambda connection: _reserved(reserve, connection, booking_id, event_id, count)


async def _reserved(
    reserve: Reserve, connection: Connection, booking_id: uuid.UUID, event_id: uuid.UUID, count: int
) -> Any:
    try:
        return await reserve(connection, booking_id, event_id, count)
    except psycopg.errors.UniqueViolation as error:
        raise Wrong(
            "a booking that is in reservations already was inserted again and reserve raised UniqueViolation: "
            "ON CONFLICT DO NOTHING, and rowcount says whether you were first"
        ) from error
    except psycopg.Rollback as error:
        raise Wrong(
            "psycopg.Rollback came out of reserve and undid nothing: raise it inside an `async with "
            "connection.transaction()` block around both writes, which it ends"
        ) from error
    except psycopg.ProgrammingError as error:
        raise Wrong(f"PostgreSQL does not take a statement: {error}") from error


TASK = Task(
    id="2.3",
    title="Once for each booking",
    names=("reserve",),
    hints=(
        (
            "The row with the booking's id is both the memory and the lock: only one call can insert it. Whoever "
            "cannot must look at what is there. And both writes stand or fall together."
        ),
        (
            "`async with connection.transaction():` INSERT … ON CONFLICT DO NOTHING; its rowcount says whether you "
            "were first. 0: read the row and decide. 1: TAKE_TICKETS; if that took nothing, the INSERT must go again."
        ),
        (
            "In the block, not first: False when released_at is set, ValueError when event or count differ, else True. "
            "First: True when TAKE_TICKETS changed a row, else raise psycopg.Rollback, which ends the block and goes "
            "no further; so `return False` stands behind the block."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=60,  # the first check of a session starts the stack
)
