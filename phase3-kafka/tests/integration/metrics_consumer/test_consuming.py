"""From the topic to the counts: nothing is lost, nothing counts twice, and what cannot be read holds nobody up."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from chassis.errors import Unavailable
from messaging.contract import Headers, Received, headers_of
from messaging.incoming import Incoming
from metrics_consumer.config import MetricsSettings
from metrics_consumer.consuming import Consuming, Counts
from metrics_consumer.dead_letters import DeadLetters
from metrics_consumer.postgres import CannotCount, PostgresCounts
from metrics_consumer.redrive import redrive
from metrics_consumer.subscription import Subscription
from tests.bookings import cancelled, created, incoming, received, sent
from tests.topics import header, messages_in, send

from tests.waiting import until_async

Sent = tuple[bytes | None, Headers]
CREATED = "BookingCreatedEvent"
GOOD = sent(created())[0]
POISON: dict[str, Sent] = {
    "no headers": (GOOD, ()),
    "no message id": (GOOD, headers_of(uuid.uuid4(), CREATED, "")[1:]),
    "a message id that is none": (GOOD, [("message-id", b"42"), ("type", CREATED.encode()), ("version", b"1")]),
    "bytes in a header": (GOOD, [("message-id", b"\xff\xfe"), ("type", CREATED.encode()), ("version", b"1")]),
    "a version of the future": (GOOD, [*headers_of(uuid.uuid4(), CREATED, "")[:2], ("version", b"2")]),
    "no value": (None, headers_of(uuid.uuid4(), CREATED, "")),
    "nothing in it": (b"", headers_of(uuid.uuid4(), CREATED, "")),
    "bytes": (bytes(range(256)), headers_of(uuid.uuid4(), CREATED, "")),
    "half a message": (GOOD[:40], headers_of(uuid.uuid4(), CREATED, "")),
    "a list": (b"[]", headers_of(uuid.uuid4(), CREATED, "")),
    "too deep": (b"[" * 100_000, headers_of(uuid.uuid4(), CREATED, "")),
    "a field missing": (b'{"user_id": "ada"}', headers_of(uuid.uuid4(), CREATED, "")),
    "a number too large": (GOOD.replace(b": 2,", b": " + b"9" * 5000 + b","), headers_of(uuid.uuid4(), CREATED, "")),
}


class Bad:
    """Counts that the database refuses one message of, the first `times` times."""

    def __init__(self, counts: Counts, bad: uuid.UUID, times: int = 99) -> None:
        self._counts = counts
        self._bad = bad
        self.left = times

    async def count(self, messages: Sequence[Received]) -> int:
        if self._bad in {message.id for message in messages} and self.left > 0:
            self.left -= 1
            raise CannotCount("the database refuses it")
        return await self._counts.count(messages)


Consume = Callable[..., AbstractAsyncContextManager[Consuming]]


@pytest.fixture
def consuming(metrics_settings: MetricsSettings, counts: PostgresCounts, dead_letters: DeadLetters) -> Consume:
    """Starts a consumer in a group; `counts` may be others than those of the database."""

    @asynccontextmanager
    async def start(counted_by: Counts = counts) -> AsyncIterator[Consuming]:
        def subscribe() -> Subscription:
            return Subscription(metrics_settings, metrics_settings.bookings_topic, metrics_settings.consumer_group)

        async with Consuming(subscribe, counted_by, dead_letters, batch=100) as consuming:
            yield consuming

    return start


@pytest.fixture
def handler(counts: PostgresCounts, dead_letters: DeadLetters) -> Consuming:
    """Handles messages, and is never started."""
    return Consuming(never, counts, dead_letters, batch=100)


def never() -> Subscription:
    raise AssertionError


async def confirmed(counts: PostgresCounts, number: int) -> None:
    """Returns once so many bookings are counted."""

    async def so_many() -> bool:
        return (await counts.totals()).confirmed >= number

    await until_async(so_many)


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


# Dead letters


async def test_poison_of_every_sort_is_put_aside_as_it_is_and_the_partition_goes_on(
    metrics_settings: MetricsSettings, counts: PostgresCounts, consuming: Consume
) -> None:
    broker, topic = metrics_settings.kafka_address, metrics_settings.bookings_topic
    send(broker, topic, *POISON.values(), sent(created()))
    async with consuming() as consumer:
        await confirmed(counts, 1)
        await until_async(lambda: all_done(consumer))
    letters = messages_in(broker, metrics_settings.dead_letter_topic)
    assert [(letter.key, letter.value) for letter in letters] == [(b"key", value) for value, _ in POISON.values()]
    for letter, (_, headers) in zip(letters, POISON.values(), strict=True):
        assert [*letter.headers][: len(headers)] == [*headers]
        assert header(letter, "origin-topic") == topic
        assert header(letter, "origin-error")
    (origin,) = {header(letter, "origin-partition") for letter in letters}
    offsets = [int(header(letter, "origin-offset")) for letter in letters]
    assert (int(origin) >= 0, offsets) == (True, list(range(len(POISON))))


async def all_done(consumer: Consuming) -> bool:
    return consumer.outcomes["dead"] == len(POISON) and consumer.outcomes["counted"] == 1


async def test_a_type_of_the_future_is_passed_over(handler: Consuming, counts: PostgresCounts) -> None:
    value, headers = sent(created())
    later = [(name, b"BookingMovedEvent" if name == "type" else content) for name, content in headers]
    await handler.handle(incoming([(value, later), (value, headers)]))
    assert (handler.outcomes["ignored"], handler.outcomes["counted"], handler.outcomes["dead"]) == (1, 1, 0)
    assert (await counts.totals()).confirmed == 1


@pytest.mark.parametrize("place", [0, 3, 6])
async def test_one_that_the_database_refuses_is_tried_a_few_times_and_harms_no_other(
    counts: PostgresCounts, dead_letters: DeadLetters, metrics_settings: MetricsSettings, place: int
) -> None:
    ids = [uuid.uuid4() for _ in range(7)]
    messages = incoming([sent(created(), message_id) for message_id in ids])
    handler = Consuming(never, Bad(counts, ids[place]), dead_letters, batch=100)
    await handler.handle(messages)
    assert (handler.outcomes["counted"], handler.outcomes["dead"]) == (6, 1)
    (letter,) = messages_in(metrics_settings.kafka_address, metrics_settings.dead_letter_topic)
    assert header(letter, "message-id") == str(ids[place])
    assert (header(letter, "origin-tries"), header(letter, "origin-error")) == ("3", "the database refuses it")


async def test_one_that_is_taken_at_a_later_try_is_counted(counts: PostgresCounts, dead_letters: DeadLetters) -> None:
    (message_id,) = (message.id for message in received(created()))
    handler = Consuming(never, Bad(counts, message_id, times=2), dead_letters, batch=100)
    await handler.handle(incoming([sent(created(), message_id)]))
    assert (handler.outcomes["counted"], handler.outcomes["dead"]) == (1, 0)


async def test_redriven_it_is_counted_when_it_can_be(
    metrics_settings: MetricsSettings, counts: PostgresCounts, consuming: Consume
) -> None:
    """The reader has learned meanwhile what it did not know; what is still bad comes back, once."""
    broker, topic = metrics_settings.kafka_address, metrics_settings.bookings_topic
    message_id = uuid.uuid4()
    send(broker, topic, sent(created(), message_id), POISON["bytes"])
    async with consuming(Bad(counts, message_id)) as consumer:

        async def both_dead() -> bool:
            return consumer.outcomes["dead"] == 2

        await until_async(both_dead)
    assert await redrive(metrics_settings) == 2
    async with consuming() as consumer:
        await confirmed(counts, 1)

        async def the_other_dead() -> bool:
            return consumer.outcomes["dead"] == 1

        await until_async(the_other_dead)
    redriven = messages_in(broker, metrics_settings.dead_letter_topic)[-1]
    assert (redriven.value, header(redriven, "redriven")) == (POISON["bytes"][0], "1")
    assert [name for name, _ in redriven.headers].count("origin-topic") == 1
    assert await redrive(metrics_settings) == 1  # what was put back before is not put back again
