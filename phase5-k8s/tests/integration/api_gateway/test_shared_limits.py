"""Two gateways that count in one Redis: one limit for both, and what becomes of it while Redis is away."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus

import httpx
import pytest
from api_gateway import windows
from api_gateway.windows import OwnWindows, Policy, SharedWindows
from tests.counter import Counter, running_counter
from tests.shops import UNLIMITED, Shop

from tests.waiting import until_async
from workbook.needs import needs

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 10
RATE = f"{LIMIT}/hour"  # in the time of a test nothing of such a window fades
NO_HURRY = 20.0  # seconds: where Redis is well, a busy machine must not look like a dead one
IN_TIME = 20.0  # seconds for a request while Redis is away; a gateway that waited for it would never answer

Gateways = tuple[httpx.AsyncClient, httpx.AsyncClient]


@pytest.fixture(scope="module")
def redis() -> Iterator[Counter]:
    needs("redis")
    with running_counter() as counter:
        yield counter


@asynccontextmanager
async def two_gateways(shop: Shop, url: str = "", patience: float = 0.1) -> AsyncIterator[Gateways]:
    limits = {**UNLIMITED, "user_rate": RATE, "redis_url": url, "redis_patience": patience}
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(shop.gateway(**limits)) for _ in range(2)]
        yield one, other


async def let_through(shop: Shop, gateways: Gateways) -> int:
    """How many requests of a new user are answered, when each gateway is asked for more than its limit."""
    headers = shop.headers(user=str(uuid.uuid4()))
    answers = []
    for _ in range(LIMIT + 2):
        for each in gateways:
            async with asyncio.timeout(IN_TIME):
                answers.append((await each.get("/v1/events", headers=headers)).status_code)
    assert set(answers) <= {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
    return answers.count(HTTPStatus.OK)


async def test_two_gateways_keep_one_limit(shop: Shop, redis: Counter) -> None:
    async with two_gateways(shop, redis.url, NO_HURRY) as gateways:
        assert await let_through(shop, gateways) == LIMIT


async def test_without_redis_twice_as_many_come_through(shop: Shop) -> None:
    """The control: it is Redis that makes the two limits one."""
    async with two_gateways(shop) as gateways:
        assert await let_through(shop, gateways) == 2 * LIMIT


@pytest.mark.parametrize(
    ("goes", "comes_back"), [(Counter.kill, Counter.start), (Counter.pause, Counter.resume)], ids=["killed", "paused"]
)
async def test_while_redis_is_away_each_counts_for_itself_and_then_together_again(
    shop: Shop, redis: Counter, goes: Callable[[Counter], None], comes_back: Callable[[Counter], None]
) -> None:
    async with two_gateways(shop, redis.url) as gateways:

        async def together() -> bool:
            return await let_through(shop, gateways) == LIMIT

        await until_async(together)
        await asyncio.to_thread(goes, redis)
        try:
            assert await let_through(shop, gateways) == 2 * LIMIT
        finally:
            await asyncio.to_thread(comes_back, redis)
        await until_async(together)


async def let_through_of_a_crowd(redis: Counter) -> int:
    """How many of three times the limit, all at once."""
    policy, key = Policy("user", LIMIT * 10, 3600), uuid.uuid4().hex
    async with SharedWindows(redis.url, OwnWindows(), NO_HURRY) as shared:
        return sum(taken.allowed for taken in await asyncio.gather(*[shared.take(policy, key) for _ in range(300)]))


async def test_a_crowd_gets_no_more_than_the_limit(redis: Counter) -> None:
    assert await let_through_of_a_crowd(redis) == LIMIT * 10


async def test_a_crowd_that_does_not_take_turns_gets_more(redis: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: when all ask at once, connections are lacking, and the process counts for itself besides."""
    monkeypatch.setattr(windows, "_AT_ONCE", 1000)
    assert await let_through_of_a_crowd(redis) > LIMIT * 10
