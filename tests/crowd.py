"""Buyers at work while a test breaks something."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.shop import Shop
from tests.waiting import until_async

BUYERS = 12
ENOUGH = 40  # answers before a failure, and again after it


class Crowd:
    """Buyers who book all the time, each wish until it is answered, and give every third booking back.

    Between two wishes a buyer rests for `rest` seconds.
    """

    def __init__(self, shop: Shop, event_ids: list[str], rest: float) -> None:
        self._shop = shop
        self._event_ids = event_ids
        self._rest = rest
        self._over = False
        self.heard: Counter[str] = Counter()

    async def buy(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - no secret
        while not self._over:
            await asyncio.sleep(self._rest)
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
async def crowd(shop: Shop, rest: float = 0) -> AsyncIterator[Crowd]:
    """A crowd that buys inside the block: many tickets of some events, too few of another."""
    buyers = Crowd(shop, [await shop.event(capacity) for capacity in (100_000, 100_000, 100)], rest)
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
