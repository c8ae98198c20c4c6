"""Task 2.9: the first law of the system, as a query that finds who breaks it."""

import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from workbook.lesson.task import Task, Wrong, WrongAnswer
from workbook.props.ledger import Ledger
from workbook.props.scratch import scratch_events

CAPACITY = 10


@dataclass(frozen=True)
class Case:
    """An event of ten, with `available` tickets left, live reservations of `held`, and released ones of `gone`."""

    what: str
    available: int
    held: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    look: str = ""


BALANCED = (
    Case("nobody has reserved", 10),
    Case("two live reservations", 5, (3, 2), look="sum the tickets, not the rows"),
    Case("one live and one released", 7, (3,), (4,), look="what has released_at set holds nothing"),
    Case("all released", 10, (), (3, 2), look="what has released_at set holds nothing"),
    Case("sold out", 0, (4, 6)),
)
BROKEN = (
    Case("one ticket sold twice", 7, (3, 1), look="available + reserved must be the capacity"),
    Case(
        "a ticket lost, nobody has reserved",
        9,
        look="a LEFT JOIN keeps an event without reservations; coalesce",
    ),
    Case("a ticket lost, all are released", 8, (), (3,), look="an event whose reservations are all over must stay in"),
    Case("oversold by one", -1, (6, 5), look="the sum is right and the event is oversold: look at the bounds too"),
)


async def check(unbalanced: str) -> str:
    """Events that keep the law must not be found; then each that breaks it, alone among them."""
    async with (
        scratch_events() as where,
        await psycopg.AsyncConnection.connect(**where, autocommit=True) as connection,
    ):
        ledger = Ledger(connection)
        await ledger.tombstone()
        for case in BALANCED:
            await _stored(ledger, case)
            if found := await _found(unbalanced, connection):
                raise Wrong(f"{_told(case)} is in order, and was found as {_shown(found)}. {_reason(case)}")
        for case in BROKEN:
            event_id = await _stored(ledger, case)
            found, right = await _found(unbalanced, connection), [(event_id, case.available, sum(case.held), CAPACITY)]
            if found != right:
                raise Wrong(f"{_told(case)}: found is {_shown(found)}, right is {_shown(right)}. {_reason(case)}")
            await connection.execute("DELETE FROM events WHERE id = %s", [event_id])
    return f"{len(BALANCED)} events in order are left out, {len(BROKEN)} that break the law are found"


async def _stored(ledger: Ledger, case: Case) -> uuid.UUID:
    event_id = await ledger.event(CAPACITY, case.available)
    for count in case.held:
        await ledger.reserved(event_id, count)
    for count in case.gone:
        await ledger.reserved(event_id, count, released=True)
    return event_id


async def _found(unbalanced: str, connection: psycopg.AsyncConnection[Any]) -> list[tuple[Any, ...]]:
    try:
        rows = await (await connection.execute(unbalanced)).fetchall()
    except psycopg.ProgrammingError as error:
        raise Wrong(f"PostgreSQL does not take the query: {error}") from error
    if rows and len(rows[0]) != 4:
        raise Wrong(f"a row has {len(rows[0])} columns, {rows[0]!r}: id, available, reserved, capacity are wanted")
    return rows


def _told(case: Case) -> str:
    held, gone = (" + ".join(map(str, counts)) or "0" for counts in (case.held, case.gone))
    return f"{case.what} ({case.available} available, {held} reserved, {gone} released, capacity {CAPACITY})"


def _reason(case: Case) -> str:
    return f"{case.look[:1].upper()}{case.look[1:]}" if case.look else "Available + reserved is its capacity"


def _shown(rows: list[tuple[Any, ...]]) -> str:
    """The rows without their ids, which nobody can compare by eye."""
    return ", ".join(f"(id, {', '.join(map(str, row[1:]))})" for row in rows) or "nothing"


_RIGHT = '''
UNBALANCED = """
    SELECT e.id, e.available, coalesce(sum(r.ticket_count), 0), e.capacity
    FROM events e LEFT JOIN reservations r ON r.event_id = e.id AND r.released_at IS NULL
    GROUP BY e.id
    HAVING e.available + coalesce(sum(r.ticket_count), 0) <> e.capacity
        OR e.available NOT BETWEEN 0 AND e.capacity
"""
'''


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return _RIGHT.replace(right, wrong)


TASK = Task(
    id="2.9",
    title="The first law",
    names=("UNBALANCED",),
    hints=(
        "Two conditions, and one of them can break while the other holds. And which events have no row to join with?",
        (
            "events LEFT JOIN reservations, ON the event and `released_at IS NULL`; GROUP BY the event. The conditions "
            "speak of a sum, so they stand in HAVING."
        ),
        (
            "SELECT id, available, coalesce(sum(ticket_count), 0), capacity … HAVING available + that sum <> capacity "
            "OR available NOT BETWEEN 0 AND capacity."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer("an inner join", code=_but("LEFT JOIN", "JOIN"), says="a ticket lost, nobody has reserved"),
        WrongAnswer(
            "a sum of nothing is NULL",
            code=_but("coalesce(sum(r.ticket_count), 0)", "sum(r.ticket_count)"),
            says="a ticket lost, nobody has reserved (9 available, 0 reserved, 0 released, capacity 10): found is",
        ),
        WrongAnswer(
            "counts the released", code=_but(" AND r.released_at IS NULL", ""), says="one live and one released"
        ),
        WrongAnswer(
            "live ones only, after the join",
            code=_but(" AND r.released_at IS NULL", " WHERE r.released_at IS NULL"),
            says="a ticket lost, all are released",
        ),
        WrongAnswer(
            "counts rows", code=_but("sum(r.ticket_count)", "count(r.*)"), says="Sum the tickets, not the rows"
        ),
        WrongAnswer(
            "only the sum", code=_but("OR e.available NOT BETWEEN 0 AND e.capacity", ""), says="oversold by one"
        ),
        WrongAnswer(
            "only the bounds",
            code=_but("e.available + coalesce(sum(r.ticket_count), 0) <> e.capacity", "false"),
            says="one ticket sold twice",
        ),
    ),
    seconds=60,  # the first check of a session starts the stack
)
