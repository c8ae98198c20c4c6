"""Both services at work while something dies, hangs or restarts: buyers who try again with their key lose nothing."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import grpc
import pytest
from booking_service.proto import booking_pb2 as pb

from tests.crowd import crowd, expected
from tests.shop import AWAY, Shop, open_shop
from tests.waiting import until_async
from workbook.stack import LocalStack


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    environment = {"RECOVERY_INTERVAL": "0.1", "PENDING_LIMIT": "60", "LOG_LEVEL": "error"}
    with LocalStack(2, environment=environment) as stack:
        yield stack


@pytest.fixture
async def shop(stack: LocalStack) -> AsyncIterator[Shop]:
    async with open_shop(stack) as shop:
        yield shop


async def test_a_thousand_buyers_at_once_and_a_hundred_tickets(shop: Shop) -> None:
    """Each wants one to four; whoever hears that something is busy tries again with the key."""
    event_id = await shop.event(100)
    wishes = [1 + number % 4 for number in range(1000)]
    answers = await asyncio.gather(*(shop.book(uuid.uuid4().hex, event_id, tickets) for tickets in wishes))
    sold = sum(answer.ticket_count for answer in answers if isinstance(answer, pb.Booking))
    heard = Counter(answer if isinstance(answer, str) else answer.status for answer in answers)
    assert set(heard) == {"CONFIRMED", "SOLD_OUT"}
    assert set(shop.problems) <= AWAY
    assert sold + await shop.left(event_id) == 100
    assert await shop.left(event_id) == 0
    shop.an_hour_passes()
    await shop.comes_to_rest()


@pytest.mark.parametrize("part", ["postgres", "event-service", "booking-service"])
async def test_a_part_killed_at_work_loses_nothing(shop: Shop, part: str) -> None:
    async with crowd(shop) as buyers:
        for _ in range(2):
            await buyers.goes_on()
            await asyncio.to_thread(shop.stack[part].kill)
            await asyncio.to_thread(shop.stack[part].start)
        await buyers.goes_on()
    assert shop.problems, "nobody noticed"
    assert set(shop.problems) <= AWAY
    assert expected(buyers.heard)
    shop.an_hour_passes()
    await shop.comes_to_rest()


async def test_both_services_restarted_in_turn_fail_no_buyer(shop: Shop) -> None:
    """SIGTERM: what is under way is finished; what comes meanwhile is tried again."""
    async with crowd(shop) as buyers:
        for part in ("event-service", "booking-service") * 2:
            await buyers.goes_on()
            await asyncio.to_thread(shop.stack[part].restart)
        await buyers.goes_on()
    assert set(shop.problems) <= AWAY
    assert expected(buyers.heard)
    shop.an_hour_passes()
    await shop.comes_to_rest()


async def test_postgres_killed_again_and_again_while_it_commits(shop: Shop) -> None:
    """The longer a database stands, the fewer commits are cut: it goes down as soon as it answers again."""
    async with crowd(shop) as buyers:
        for _ in range(5):
            before = buyers.heard.total()

            async def some_more(before: int = before) -> bool:
                return buyers.heard.total() > before + 3

            await until_async(some_more, patience=60)
            await asyncio.to_thread(shop.stack["postgres"].kill)
            await asyncio.to_thread(shop.stack["postgres"].start)
        await buyers.goes_on()
    assert expected(buyers.heard)
    shop.an_hour_passes()
    await shop.comes_to_rest()


async def test_a_client_that_gives_up_leaves_nothing_behind(shop: Shop) -> None:
    """Calls are cancelled at any moment of their way; nobody tries again."""
    event_id = await shop.event(100)
    chance = random.Random(7)  # noqa: S311 - the same moments in every run

    async def impatient() -> None:
        with suppress(grpc.aio.AioRpcError):
            wish = pb.CreateBookingRequest(user_id=uuid.uuid4().hex, event_id=event_id, ticket_count=1)
            await shop.bookings.CreateBooking(wish, timeout=chance.uniform(0.001, 0.03))

    for _ in range(20):
        await asyncio.gather(*(impatient() for _ in range(20)))

    async def lawful_in_the_end() -> bool:
        shop.an_hour_passes()  # again each time: what a caller gave up may be claimed after that
        return not await shop.laws()

    await until_async(lawful_in_the_end)
