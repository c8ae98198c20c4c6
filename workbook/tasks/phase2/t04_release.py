"""Task 2.4: tickets given back exactly once, whenever the release comes and whatever dies in between."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from workbook.lesson.task import Task, Wrong
from workbook.props.ledger import Ledger
from workbook.props.meeting import Call, Connection, Stage, stage
from workbook.props.scratch import scratch_events
from workbook.tasks.phase2.wrong_release import WRONG

Release = Callable[[Connection, uuid.UUID], Awaitable[Any]]
MOST_STATEMENTS = 8
CAPACITY, HELD = 10, 2


async def check(release: Release) -> str:
    """Each promise alone; then a process that dies before each of its statements; then two calls that meet."""
    async with scratch_events() as where, stage(where) as met:
        ledger = Ledger(met.watcher)
        for promise in (_gives_back, _again, _nothing_there, _dies, _meets, _meets_nothing_there, _meets_reserve):
            await promise(release, met, ledger)
    return "back once: asked again, twice at once, dead halfway or too early; and what is over stays over"


async def _sold(ledger: Ledger) -> tuple[uuid.UUID, uuid.UUID]:
    """An event of ten with two of them reserved, and the booking that holds them."""
    event_id = await ledger.event(CAPACITY, CAPACITY - HELD)
    return event_id, await ledger.reserved(event_id, HELD)


async def _gives_back(release: Release, met: Stage, ledger: Ledger) -> None:
    (event_id, booking_id), (other, other_booking) = await _sold(ledger), await _sold(ledger)
    await _of_several(release, met, ledger)
    said = await _released(release, met.first, booking_id)
    left, row = await ledger.left(event_id), await ledger.reservation(booking_id)
    if row is None:
        raise Wrong(
            "after the release the reservation's row is gone: a reserve that is still under way would find nothing and "
            "take tickets again, for a booking that is over. Keep the row, set released_at"
        )
    if row.released_at is None:
        raise Wrong("after the release released_at is NULL: the reservation still counts as live; set it to now()")
    if left != CAPACITY:
        raise Wrong(f"8 left, a booking of 2 gives back: {left} are left, 10 is right. The row in events counts them")
    if said is not True:
        raise Wrong(f"the tickets went back and release says {said!r}: True, this call did it")
    neighbour = await ledger.reservation(other_booking)
    if await ledger.left(other) != CAPACITY - HELD or neighbour is None or neighbour.released_at is not None:
        raise Wrong("the tickets of another booking went back too: name the booking in WHERE, and its event")


async def _of_several(release: Release, met: Stage, ledger: Ledger) -> None:
    event_id = await ledger.event(CAPACITY, CAPACITY - HELD - 3)
    booking_id, _ = await ledger.reserved(event_id, HELD), await ledger.reserved(event_id, 3)
    await _released(release, met.first, booking_id)
    if await ledger.left(event_id) == CAPACITY:
        raise Wrong(
            "bookings of 2 and of 3, the first gives back: all 10 are left, 7 is right. The other one keeps its "
            "tickets: count up by ticket_count"
        )


async def _again(release: Release, met: Stage, ledger: Ledger) -> None:
    event_id, booking_id = await _sold(ledger)
    await _released(release, met.first, booking_id)
    before = await ledger.reservation(booking_id)
    said = await _released(release, met.first, booking_id)
    if (left := await ledger.left(event_id)) != CAPACITY:
        raise Wrong(
            f"a second release of the same booking: {left} of 10 are left, two are for sale twice. "
            "Only where released_at IS NULL is there something to give back"
        )
    if await ledger.reservation(booking_id) != before:
        raise Wrong("a second release changed the row again: it must find nothing to do. WHERE … released_at IS NULL")
    if said is not False:
        raise Wrong(f"a second release gave nothing back and says {said!r}: False is right")


async def _nothing_there(release: Release, met: Stage, ledger: Ledger) -> None:
    booking_id = uuid.uuid4()
    for call in ("a release that comes before its reserve", "the same release again"):
        said = await _released(release, met.first, booking_id)
        row = await ledger.reservation(booking_id)
        if row is None or row.released_at is None:
            raise Wrong(
                f"{call} leaves {'no row' if row is None else 'a row that is live'}: the reserve that comes late takes "
                "tickets which nobody will give back. Leave a tombstone: the id, released_at, and no event"
            )
        if said is not False:
            raise Wrong(f"{call} gave no tickets back and says {said!r}: False is right")


async def _dies(release: Release, met: Stage, ledger: Ledger) -> None:
    for at in range(1, MOST_STATEMENTS):
        event_id, booking_id = await _sold(ledger)
        died = await met.dies(at, _call(release, booking_id))
        left, row = await ledger.left(event_id), await ledger.reservation(booking_id)
        live = row is not None and row.released_at is None
        if (left, live) not in ((CAPACITY - HELD, True), (CAPACITY, False)):
            raise Wrong(
                f"its process died before statement {at}: {left} of 10 are left, and the reservation of 2 is "
                f"{'still live' if live else 'over'}. Both or neither: one transaction, or one statement"
            )
        if not died:
            return


async def _meets(release: Release, met: Stage, ledger: Ledger) -> None:
    for at in (*range(2, MOST_STATEMENTS), None):
        event_id, booking_id = await _sold(ledger)
        said = await _meeting(release, met, booking_id, at)
        left = await ledger.left(event_id)
        if left != CAPACITY or (said is not None and sorted(said) != [False, True]):
            raise Wrong(
                f"two releases of one booking at once: told {list(said or ())}, {left} of 10 left; once True, and 10. "
                "The  UPDATE that sets released_at must itself ask whether it is NULL, and say so with RETURNING"
            )


async def _meets_nothing_there(release: Release, met: Stage, ledger: Ledger) -> None:
    for at in (*range(2, MOST_STATEMENTS), None):
        booking_id = uuid.uuid4()
        said = await _meeting(release, met, booking_id, at)
        if said is not None and said != (False, False):
            raise Wrong(f"two releases before the reserve, at once: told {list(said)}; both False is right")
        if await ledger.reservation(booking_id) is None:
            raise Wrong("two releases before the reserve, at once: no tombstone is left")


async def _meets_reserve(release: Release, met: Stage, ledger: Ledger) -> None:
    """The reserve has its tickets and is about to commit when the release comes."""
    event_id, booking_id = await ledger.event(CAPACITY), uuid.uuid4()

    async def reserve(connection: Connection) -> None:
        await connection.execute(
            "INSERT INTO reservations (booking_id, event_id, ticket_count) VALUES (%s, %s, %s)",
            [booking_id, event_id, HELD],
        )
        await connection.execute("UPDATE events SET available = available - %s WHERE id = %s", [HELD, event_id])

    _, said = await met.meet_at_commit(reserve, _call(release, booking_id))
    left = await ledger.left(event_id)
    if left != CAPACITY or said is not True:
        raise Wrong(
            f"a release came while its reserve was about to commit: told {said!r}, {left} of 10 left; True and 10 are "
            "right. One INSERT … ON CONFLICT (booking_id) DO UPDATE waits for that row, and then sees it"
        )


async def _meeting(release: Release, met: Stage, booking_id: uuid.UUID, at: int | None) -> tuple[Any, Any] | None:
    """What two releases of one booking said; None when the first has fewer statements and so ran alone."""
    call = _call(release, booking_id)
    return await (met.meet_at_commit(call, call) if at is None else met.meet(at, call, call))


def _call(release: Release, booking_id: uuid.UUID) -> Call:
    return lambda connection: _released(release, connection, booking_id)


async def _released(release: Release, connection: Connection, booking_id: uuid.UUID) -> Any:
    try:
        return await release(connection, booking_id)
    except psycopg.errors.UniqueViolation as error:
        raise Wrong(
            "a row for this booking was there already, and release raised UniqueViolation: INSERT … ON CONFLICT"
        ) from error
    except psycopg.ProgrammingError as error:
        raise Wrong(f"PostgreSQL does not take a statement: {error}") from error


TASK = Task(
    id="2.4",
    title="Given back exactly once",
    names=("release",),
    hints=(
        (
            "Three things may be there: a live reservation, one that is over, nothing. One statement can end in the "
            "same state from all three, and tell which it was."
        ),
        (
            "INSERT INTO reservations (booking_id, reserved_at, released_at) VALUES (%s, NULL, now()) ON CONFLICT "
            "(booking_id) DO UPDATE SET … WHERE …, with RETURNING event_id, ticket_count."
        ),
        (
            "DO UPDATE SET released_at = now() WHERE reservations.released_at IS NULL. No row back: it was over, "
            "False. An event_id of None: a tombstone, False. Else add ticket_count to the event's available and say "
            "True; all of it inside `async with connection.transaction()`."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=60,  # the first check of a session starts the stack
)
