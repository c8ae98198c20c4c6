"""Both services at work while something dies, hangs or restarts: buyers who try again with their key lose nothing."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import grpc
import pytest
from booking_service.proto import booking_pb2 as pb

from tests.shop import AWAY, Shop, open_shop
from tests.waiting import until_async
from workbook.stack import LocalStack

BUYERS = 12
ENOUGH = 40  # answers before a failure, and again after it


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    environment = {"RECOVERY_INTERVAL": "0.1", "PENDING_LIMIT": "60", "LOG_LEVEL": "error"}
    with LocalStack(2, environment=environment) as stack:
        yield stack


@pytest.fixture
async def shop(stack: LocalStack) -> AsyncIterator[Shop]:
    async with open_shop(stack) as shop:
        yield shop


class Crowd:
    """Buyers who book all the time, each wish until it is answered, and give every third booking back."""

    def __init__(self, shop: Shop, event_ids: list[str]) -> None:
        self._shop = shop
        self._event_ids = event_ids
        self._over = False
        self.heard: Counter[str] = Counter()

    async def buy(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - no secret
        while not self._over:
            user, event_id = uuid.uuid4().hex, chance.choice(self._event_ids)
            answer = await self._shop.book(user, event_id, chance.randint(1, 3))
            if isinstance(answer, str):
                self.heard[answer] += 1
                continue
            self.heard[answer.status] += 1
            if chance.random() < 1 / 3:
                await self._shop.cancel(answer.id)

    async def goes_on(self) -> None:
        """Returns when enough more was answered."""
        goal = self.heard.total() + ENOUGH

        async def reached() -> bool:
            return self.heard.total() >= goal

        await until_async(reached, patience=60)

    def go_home(self) -> None:
        self._over = True


@asynccontextmanager
async def crowd(shop: Shop) -> AsyncIterator[Crowd]:
    """A crowd that buys inside the block: many tickets of some events, too few of another."""
    buyers = Crowd(shop, [await shop.event(capacity) for capacity in (100_000, 100_000, 100)])
    async with asyncio.TaskGroup() as group:
        for number in range(BUYERS):
            group.create_task(buyers.buy(number))
        try:
            yield buyers
        finally:
            buyers.go_home()


def expected(heard: Counter[str]) -> bool:
    """Nothing but what a buyer may hear: an INTERNAL error would stand there with its code."""
    return set(heard) <= {"CONFIRMED", "CANCELLED", "SOLD_OUT", "CANCELLED_MEANWHILE"}


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
