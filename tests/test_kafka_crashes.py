"""A process dies by SIGKILL while a message is on its way: each is counted once all the same. No guard is idle."""

import asyncio
import uuid
from pathlib import Path

import psycopg
import pytest
from booking_service.proto import booking_pb2 as pb
from tests.topics import header

from tests.builds.failpoints import arm, is_armed
from tests.builds.telling import AT_BOOKINGS, AT_COUNTS
from tests.shop import Shop, open_shop
from tests.telling import BOOKING, METRICS, Telling, dies, telling
from tests.waiting import until_async
from workbook.needs import needs
from workbook.postgres import connect
from workbook.stack import LocalStack

MISSED = [
    ("outbox", BOOKING, "after commit"),
    ("message id", BOOKING, "after deliver"),
    ("offsets after counting", METRICS, "before count"),
]
HELD = "a transaction that is held open"  # whoever has this lock holds the bookings of the user "slow"
HOLD = f"""
CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared(hashtext('{HELD}')); RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER hold AFTER INSERT ON outbox FOR EACH ROW
    WHEN (NEW.value::json ->> 'user_id' = 'slow') EXECUTE FUNCTION hold()
"""


async def customers(shop: Shop, number: int) -> None:
    """So many customers at once, each of whom tries until there is an answer; every third one cancels."""
    event_id = await shop.event(capacity=number - 2)

    async def customer(turn: int) -> None:
        booking = await shop.book(uuid.uuid4().hex, event_id)
        if not isinstance(booking, str) and turn % 3 == 0:
            await shop.cancel(booking.id)

    await asyncio.gather(*map(customer, range(number)))


async def killed_at(system: Telling, folder: Path, name: str, point: str) -> None:
    """Customers are at work while the part reaches the point; after that more of them come."""
    arm(folder, point)
    working = asyncio.create_task(customers(system.shop, 12))
    await asyncio.to_thread(dies, system.booking if name == BOOKING else system.metrics)
    await working
    await customers(system.shop, 6)
    assert not is_armed(folder, point)


def sent_twice(system: Telling) -> int:
    """Messages on Kafka that are there already."""
    ids = [header(message, "message-id") for message in system.messages()]
    return len(ids) - len(set(ids))


async def test_a_booking_service_that_dies_at_any_step_loses_and_doubles_nothing(
    kafka_stack: LocalStack, tmp_path: Path
) -> None:
    """With its relay, which has delivered and not yet forgotten at one of them."""
    async with telling(kafka_stack, tmp_path) as system:
        for point in AT_BOOKINGS:
            twice_before = sent_twice(system)
            await killed_at(system, tmp_path, BOOKING, point)
            await system.shop.comes_to_rest()
            assert (sent_twice(system) > twice_before) == (point == "after deliver"), point


async def test_a_consumer_that_dies_before_or_after_it_counts_loses_and_doubles_nothing(
    kafka_stack: LocalStack, tmp_path: Path
) -> None:
    needs("apache-kafka")  # the embedded broker keeps what a dead member had for half a minute
    async with telling(kafka_stack, tmp_path) as system:
        for point in AT_COUNTS:
            await killed_at(system, tmp_path, METRICS, point)
            await system.shop.comes_to_rest()


@pytest.mark.parametrize(("guard", "name", "point"), MISSED)
async def test_without_its_guard_a_crash_is_a_wrong_count(
    kafka_stack: LocalStack, tmp_path: Path, guard: str, name: str, point: str
) -> None:
    """The negative controls: no outbox, known by its offset, committed before it is handled."""
    if name == METRICS:
        needs("apache-kafka")
    async with telling(kafka_stack, tmp_path, guard) as system:
        await killed_at(system, tmp_path, name, point)
        await system.all_taken()
        await only_counts_are_wrong(system)


async def only_counts_are_wrong(system: Telling, number: int | None = None) -> None:
    """Returns when only I4 is broken, in so many places if told: what a crash left open is settled a while later."""

    async def only_counts() -> bool:
        laws = [broken.law for broken in await system.shop.laws()]
        return set(laws) == {"I4"} and number in {None, len(laws)}

    await until_async(only_counts)


async def held_open(system: Telling) -> None:
    """Two booking services, each with a relay; the transaction of one has a lower number and ends after the other's.

    Returns when the messages that were written last are counted.
    """
    stack = system.shop.stack
    second = await asyncio.to_thread(stack.replica, BOOKING, **system.environment)
    event_id = await system.shop.event(capacity=100)
    async with open_shop(stack, second.name) as other:
        with connect(stack["postgres"].address, "booking_db") as sql:
            sql.execute(HOLD)
            sql.execute("SELECT pg_advisory_lock(hashtext(%s))", [HELD])
            slow = asyncio.create_task(system.shop.book("slow", event_id))
            await until_async(lambda: somebody_waits(sql))
            await counted(system, [await other.book(f"quick-{number}", event_id) for number in range(10)])
            assert not slow.done()
        await slow  # the lock went with the connection
        await counted(system, [await shop.book(uuid.uuid4().hex, event_id) for shop in (system.shop, other)])


async def somebody_waits(sql: psycopg.Connection) -> bool:
    return sql.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").rowcount > 0


async def counted(system: Telling, bookings: list[pb.Booking | str]) -> None:
    """Returns when all of these are counted."""
    ids = [uuid.UUID(booking.id) for booking in bookings if isinstance(booking, pb.Booking)]
    assert len(ids) == len(bookings)

    async def all_there() -> bool:
        with connect(system.shop.stack["postgres"].address, "metrics_db") as sql:
            return sql.execute("SELECT FROM counted WHERE booking_id = ANY(%s)", [ids]).rowcount == len(ids)

    await until_async(all_there)


async def test_with_two_relays_a_lower_number_that_comes_late_is_counted(
    kafka_stack: LocalStack, tmp_path: Path
) -> None:
    async with telling(kafka_stack, tmp_path) as system:
        await held_open(system)
        await system.shop.comes_to_rest()


async def test_behind_the_last_number_seen_it_is_lost(kafka_stack: LocalStack, tmp_path: Path) -> None:
    """The negative control: `id > last_seen`."""
    async with telling(kafka_stack, tmp_path, "first row left") as system:
        await held_open(system)
        await only_counts_are_wrong(system, 3)
