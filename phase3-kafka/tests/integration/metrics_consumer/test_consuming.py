"""From the topic to the counts: nothing is lost, nothing counts twice, and what cannot be read holds nobody up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from chassis.errors import Unavailable
from messaging.contract import Received
from messaging.incoming import Incoming
from metrics_consumer.config import MetricsSettings
from metrics_consumer.consuming import Consuming
from metrics_consumer.postgres import PostgresCounts
from metrics_consumer.subscription import Subscription
from tests.bookings import cancelled, created, sent
from tests.consumers import Consume, confirmed
from tests.topics import send

from tests.waiting import until_async

# Through a broker


async def test_messages_are_counted_and_not_taken_again(
    metrics_settings: MetricsSettings, counts: PostgresCounts, consuming: Consume
) -> None:
    broker, topic = metrics_settings.kafka_address, metrics_settings.bookings_topic
    send(broker, topic, *(sent(created()) for _ in range(250)))
    async with consuming() as first:
        await confirmed(counts, 250)
    send(broker, topic, sent(created()))
    async with consuming() as second:
        await confirmed(counts, 251)
    assert (first.outcomes["counted"], second.outcomes["counted"]) == (250, 1)
    assert first.outcomes["duplicate"] == second.outcomes["duplicate"] == 0


async def test_what_stands_around_sees_each_message_before_and_after(
    metrics_settings: MetricsSettings, counts: PostgresCounts, consuming: Consume
) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def around(messages: Sequence[Incoming]) -> AsyncIterator[None]:
        seen.append(f"{len(messages)} to do, {(await counts.totals()).confirmed} done")
        try:
            yield
        except Unavailable:
            seen.append("put off")
            raise
        seen.append(f"{(await counts.totals()).confirmed} done")

    class AwayAtFirst:
        async def count(self, messages: Sequence[Received]) -> int:
            if len(seen) == 1:
                raise Unavailable("away")
            return await counts.count(messages)

    send(metrics_settings.kafka_address, metrics_settings.bookings_topic, sent(created()))
    async with consuming(AwayAtFirst(), around):
        await confirmed(counts, 1)
    assert seen == ["1 to do, 0 done", "put off", "1 to do, 0 done", "1 done"]


async def test_ready_is_a_member_of_the_group(metrics_settings: MetricsSettings, consuming: Consume) -> None:
    send(metrics_settings.kafka_address, metrics_settings.bookings_topic, sent(created()))
    async with consuming() as consumer:
        with pytest.raises(Unavailable):
            await consumer.ready()
        await until_async(lambda: became_ready(consumer))
    with pytest.raises(Unavailable):
        await consumer.ready()


async def became_ready(consumer: Consuming) -> bool:
    try:
        await consumer.ready()
    except Unavailable:
        return False
    return True


async def test_the_lag_is_what_is_left_to_do(
    metrics_settings: MetricsSettings, counts: PostgresCounts, consuming: Consume
) -> None:
    class Held:
        hold = asyncio.Event()

        async def count(self, messages: Sequence[Received]) -> int:
            await self.hold.wait()
            return await counts.count(messages)

    send(metrics_settings.kafka_address, metrics_settings.bookings_topic, *(sent(created()) for _ in range(10)))
    held = Held()
    async with consuming(held) as consumer:

        async def lag_is(number: int) -> bool:
            return consumer.subscription is not None and sum(consumer.subscription.lag().values()) == number

        await until_async(lambda: lag_is(10))
        held.hold.set()
        await until_async(lambda: lag_is(0))


async def test_the_whole_topic_replayed_changes_nothing(
    metrics_settings: MetricsSettings, counts: PostgresCounts, consuming: Consume
) -> None:
    broker, topic = metrics_settings.kafka_address, metrics_settings.bookings_topic
    bookings = [created() for _ in range(50)]
    send(broker, topic, *map(sent, bookings), *(sent(cancelled(booking)) for booking in bookings[:20]))
    async with consuming():
        await confirmed(counts, 50)
    once = await counts.totals()
    for replay in range(3):
        metrics_settings.consumer_group = f"replay-{replay}-{topic}"  # another group begins at the first message
        async with consuming() as consumer:

            async def seen_again(consumer: Consuming = consumer) -> bool:
                return consumer.outcomes["duplicate"] == 70

            await until_async(seen_again)
    assert await counts.totals() == once


async def test_with_the_database_away_all_waits_and_nothing_is_lost(
    metrics_settings: MetricsSettings, counts: PostgresCounts, consuming: Consume
) -> None:
    class Away:
        tries = 0

        async def count(self, messages: Sequence[Received]) -> int:
            self.tries += 1
            if self.tries <= 2:
                raise Unavailable("the database does not answer")
            return await counts.count(messages)

    send(metrics_settings.kafka_address, metrics_settings.bookings_topic, *(sent(created()) for _ in range(20)))
    async with consuming(Away()) as consumer:
        await confirmed(counts, 20)
    assert (consumer.outcomes["counted"], consumer.outcomes["dead"]) == (20, 0)


# Killed between the database's commit and the offset's, or before both


class Killed(BaseException):
    """The process dies here."""


async def killed_once(consuming: Consume, counts: PostgresCounts, settings: MetricsSettings, where: str) -> int:
    """Ten messages, and a consumer that dies at its first batch, before or after it is counted; then another one."""

    class Dies:
        async def count(self, messages: Sequence[Received]) -> int:
            if where == "after":
                await counts.count(messages)
            raise Killed

    send(settings.kafka_address, settings.bookings_topic, *(sent(created()) for _ in range(10)))
    async with consuming(Dies()) as consumer:
        assert consumer._running is not None
        with pytest.raises(Killed):
            await consumer._running
    send(settings.kafka_address, settings.bookings_topic, sent(created(event_id="last")))

    async def last_counted() -> bool:
        return "last" in dict(await counts.popular(10))

    async with consuming():
        await until_async(last_counted)
    return (await counts.totals()).confirmed


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_consumer_that_dies_loses_nothing_and_doubles_nothing(
    consuming: Consume, counts: PostgresCounts, metrics_settings: MetricsSettings, where: str
) -> None:
    assert await killed_once(consuming, counts, metrics_settings, where) == 11


async def test_with_offsets_stored_before_the_work_it_loses(
    consuming: Consume, counts: PostgresCounts, metrics_settings: MetricsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    take = Subscription.take

    async def done_at_once(self: Subscription, most: int) -> list[Incoming]:
        messages = await take(self, most)
        await self.done(messages)
        return messages

    monkeypatch.setattr(Subscription, "take", done_at_once)
    assert await killed_once(consuming, counts, metrics_settings, "before") < 11
