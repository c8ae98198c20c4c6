"""What tests of the consumer share: how one is started, and how counts are waited for."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from metrics_consumer.consuming import Consuming
from metrics_consumer.postgres import PostgresCounts
from metrics_consumer.subscription import Subscription

from tests.waiting import until_async

Consume = Callable[..., AbstractAsyncContextManager[Consuming]]


def never() -> Subscription:
    raise AssertionError


async def confirmed(counts: PostgresCounts, number: int) -> None:
    """Returns once so many bookings are counted."""

    async def so_many() -> bool:
        return (await counts.totals()).confirmed >= number

    await until_async(so_many)
