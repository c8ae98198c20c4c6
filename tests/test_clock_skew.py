"""Services whose clocks are half a minute wrong: the database's clock decides, so nothing ends too early or late."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from booking_service.proto import booking_pb2 as pb

from tests.shop import Shop, all_of, open_shop
from tests.waiting import until_async
from workbook.postgres import connect
from workbook.stack import LocalStack

SKEW = 30
LIMIT = 3.0  # PENDING_LIMIT: far less than the clocks are wrong


@asynccontextmanager
async def wrong_by(seconds: int, **more: str) -> AsyncIterator[Shop]:
    """A system whose services' clocks are `seconds` ahead of its database's."""
    environment = {
        "CLOCK_SKEW": str(seconds),
        "PENDING_LIMIT": str(LIMIT),
        "RECOVERY_INTERVAL": "0.1",
        "EVENT_DEADLINE": "1",
        **more,
    }
    stack = LocalStack(2, program="tests.builds", environment=environment)
    await asyncio.to_thread(stack.start)
    try:
        async with open_shop(stack) as shop:
            yield shop
    finally:
        await asyncio.to_thread(stack.stop)


async def left_pending(shop: Shop) -> str:
    """A user whose booking is PENDING: the event service was away."""
    event_id, user = await shop.event(10), uuid.uuid4().hex
    await asyncio.to_thread(shop.stack["event-service"].kill)
    await all_of(shop.try_to_book(user, event_id))
    return user


async def lifetime(shop: Shop, user: str) -> float:
    """Seconds from a booking's beginning to its abandonment, on the database's clock."""
    query = "SELECT status, reason, extract(epoch FROM updated_at - created_at) FROM bookings WHERE user_id = %s"

    async def abandoned() -> bool:
        found[:] = connection.execute(query, [user]).fetchall()
        return found[0][0] == "CANCELLED"

    found: list[tuple[str, str, float]] = []
    with connect(shop.stack["postgres"].address, "booking_db") as connection:
        await until_async(abandoned)
    assert found[0][1] == "EXPIRED"
    return float(found[0][2])


@pytest.mark.parametrize("seconds", [SKEW, -SKEW])
async def test_the_databases_clock_decides(seconds: int) -> None:
    async with wrong_by(seconds) as shop:
        event_id = await shop.event(100)
        made = await asyncio.gather(*(shop.book(uuid.uuid4().hex, event_id) for _ in range(20)))
        now = time.time()
        assert all(isinstance(booking, pb.Booking) for booking in made)
        assert all(abs(booking.created_at.seconds - now) < SKEW / 2 for booking in made)
        await asyncio.gather(*(shop.cancel(booking.id) for booking in made[:10]))
        user = await left_pending(shop)
        lived = await lifetime(shop, user)
        assert LIMIT <= lived < LIMIT + SKEW / 2
        await asyncio.to_thread(shop.stack["event-service"].start)
        await shop.comes_to_rest()


async def test_with_the_services_own_clock_a_booking_is_abandoned_too_early() -> None:
    """The negative control; it also shows that the clock of this build is really wrong."""
    async with wrong_by(SKEW, WITHOUT="database clock") as shop:
        assert await lifetime(shop, await left_pending(shop)) < LIMIT
