"""Task 3.5: the relay, which may die anywhere, and beside which others write."""

import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from workbook.lesson.task import Task, Wrong
from workbook.props.broker import Broker
from workbook.props.meeting import Call, Connection, Stage, stage
from workbook.props.outbox import ADD, CREATED, OUTBOX, Outbox
from workbook.props.scratch import scratch_tables
from workbook.tasks.phase3.wrong_relay import WRONG

RelayOnce = Callable[[Connection, Callable[..., Any], int], Awaitable[Any]]
MOST_STATEMENTS = 6
ROUNDS = 10  # more than three rows need


async def check(relay_once: RelayOnce) -> str:
    """In order, in batches; a broker that refuses; a death before each statement; a row that becomes visible late."""
    async with scratch_tables(OUTBOX) as where, stage(where) as met:
        outbox = Outbox(met.watcher)
        await _in_batches(relay_once, met, outbox)
        for at in range(3):
            await _refused(relay_once, met, outbox, at)
        again = await _dies(relay_once, met, outbox)
        for when in ("after the relay has passed", "while the relay publishes"):
            await _late(relay_once, met, outbox, when)
    return f"in order, in batches; refused, dead anywhere, overtaken by a higher id: nothing lost, {again} sent twice"


async def _in_batches(relay_once: RelayOnce, met: Stage, outbox: Outbox) -> None:
    """The ids are not in the order in which the rows lie on the disk."""
    ids = await outbox.fill([3, 1, 5, 2, 4])
    for sends, stay in ((ids[:2], ids[2:]), (ids[2:4], ids[4:]), (ids[4:], []), ([], [])):
        broker = Broker(outbox)
        told = await _relayed(relay_once, met.first, broker, 2)
        what = f"rows {sorted(sends + stay)} are there, a batch is 2"
        if len(broker.rows) > 2:
            raise Wrong(f"{what}: {len(broker.rows)} were published. A backlog may be millions: LIMIT")
        _nothing_gone(broker, what)
        if (published := [row[0] for row in broker.rows]) != sends:
            raise Wrong(
                f"{what}: published were {published}, {sends} are right. ORDER BY id: what came first goes first"
            )
        if any(row != (row[0], uuid.UUID(int=row[0]), CREATED) for row in broker.rows):
            raise Wrong(f"publish was called with {broker.rows[0]}: the row's id, booking_id and kind, in this order")
        if (left := await outbox.ids()) != stay:
            raise Wrong(
                f"{what}: {sends} arrived, and {left} are left; {stay} are right. Delete what arrived, that alone"
            )
        if told != len(sends):
            raise Wrong(f"{what}: {len(sends)} were published, relay_once gives {told!r}")


async def _refused(relay_once: RelayOnce, met: Stage, outbox: Outbox, at: int) -> None:
    await outbox.clear()
    ids = await outbox.fill([1, 2, 3])
    refused = ids[at]
    broker = Broker(outbox, refuses=refused)
    await _relayed(relay_once, met.first, broker, 3)
    what = f"rows {ids} are there, and the broker does not take row {refused}"
    if refused not in await outbox.ids():
        raise Wrong(
            f"{what}: it is gone from the outbox all the same, nobody will ever send it. Await each publish, and let "
            "its error pass, before anything is deleted"
        )
    if behind := [number for number in broker.arrived if number > refused]:
        raise Wrong(
            f"{what}, but {behind[0]} arrived: it may be the same booking's next event, and is read before. One after "
            "the other, and none after a failure"
        )
    await _all_arrive(relay_once, met, outbox, (broker, ids), what)


async def _dies(relay_once: RelayOnce, met: Stage, outbox: Outbox) -> int:
    """How many messages were sent again after a death."""
    again = 0
    for at in range(1, MOST_STATEMENTS):
        await outbox.clear()
        ids = await outbox.fill([1, 2, 3])
        broker = Broker(outbox)
        died = await met.dies(at, _call(relay_once, broker))
        await broker.settle()
        arrived = await _all_arrive(relay_once, met, outbox, (broker, ids), f"its process died before statement {at}")
        again += arrived.total() - 3
        if not died:
            break
    return again


def _call(relay_once: RelayOnce, broker: Broker) -> Call:
    return lambda connection: relay_once(connection, broker.publish, 3)


async def _late(relay_once: RelayOnce, met: Stage, outbox: Outbox, when: str) -> None:
    """Two transactions: the first to get its id is the last to be committed."""
    await outbox.clear()
    slow = await psycopg.AsyncConnection.connect(**met.where)
    async with slow:
        low = await _add(slow)
        high = await _add(met.second)
        broker = Broker(outbox, meanwhile=None if when.startswith("after") else slow.commit)
        await _relayed(relay_once, met.first, broker, 3)
        await slow.commit()
    await _all_arrive(
        relay_once,
        met,
        outbox,
        (broker, [low, high]),
        f"row {low} got its id before row {high}, and is committed after it, {when}",
    )


async def _all_arrive(
    relay_once: RelayOnce,
    met: Stage,
    outbox: Outbox,
    before: tuple[Broker, list[int]],
    what: str,
) -> Counter[int]:
    """After what arrived at one broker, a new relay runs until it finds nothing; then every row has arrived."""
    arrived, rows = Counter(before[0].arrived), before[1]
    for _ in range(ROUNDS):
        broker = Broker(outbox)
        told = await _relayed(relay_once, met.first, broker, 3)
        arrived.update(broker.arrived)
        if not told:
            break
    if lost := [number for number in rows if not arrived[number]]:
        left = "is left in the outbox for ever" if lost[0] in await outbox.ids() else "is gone from the outbox"
        raise Wrong(
            f"{what}: row {lost[0]} never arrived and {left}. Take what is there, whatever ids were seen before, and "
            "delete by id exactly what arrived"
        )
    return arrived


async def _relayed(relay_once: RelayOnce, connection: Connection, broker: Broker, batch: int) -> Any:
    try:
        return await relay_once(connection, broker.publish, batch)
    except ConnectionError:
        return None
    except psycopg.ProgrammingError as error:
        raise Wrong(f"PostgreSQL does not take a statement: {error}") from error
    finally:
        await broker.settle()


def _nothing_gone(broker: Broker, what: str) -> None:
    if broker.gone:
        raise Wrong(
            f"{what}: row {broker.gone[0]} was gone from the outbox when its message was only on its way. Whoever dies "
            "at that moment has lost it: publish and await first, then let the DELETE be committed"
        )


async def _add(connection: Connection) -> int:
    added = await connection.execute(ADD, [uuid.uuid4(), CREATED])
    return int((await added.fetchone() or (0,))[0])


TASK = Task(
    id="3.5",
    title="The relay",
    names=("relay_once",),
    hints=(
        (
            "The relay may die between any two of: read, publish, delete. In which order is the worst thing a message "
            "sent twice? And what do you remember from one call to the next? Best: nothing."
        ),
        (
            "SELECT … ORDER BY id LIMIT; await publish for each row, one after the other; then one DELETE that names "
            "the ids which were published, not a range."
        ),
        (
            "rows = await found.fetchall(); `for row in rows: await publish(*row)`; DELETE FROM outbox WHERE id = "
            "ANY(%s) with a list of ids as its one parameter: [[row[0] for row in rows]]. No try."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=60,  # the first check of a session starts the stack
)
