"""What cannot be counted is put aside as it is, holds nobody up, and is counted once it can be."""

import uuid
from collections.abc import Sequence

import pytest
from chassis.errors import Unavailable
from messaging.contract import Received
from messaging.incoming import Incoming
from metrics_consumer.config import MetricsSettings
from metrics_consumer.consuming import Consuming, Counts
from metrics_consumer.dead_letters import DeadLetters
from metrics_consumer.postgres import CannotCount, PostgresCounts
from metrics_consumer.redrive import redrive
from tests.bookings import created, incoming, received, sent
from tests.consumers import Consume, confirmed, never
from tests.poison import POISON
from tests.topics import header, messages_in, send

from tests.waiting import until_async


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


class AwayAtFirst:
    """Counts that are away the first six times."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._left = 6

    async def count(self, messages: Sequence[Received]) -> int:
        if self._left:
            self._left -= 1
            raise Unavailable("the database does not answer")
        return await self._counts.count(messages)


class BuriesFirst(Consuming):
    """Puts the first message aside before the others are counted."""

    async def handle(self, messages: Sequence[Incoming]) -> None:
        await self._dead_letters.put(messages[0], "poison", 1)
        self.outcomes["dead"] += 1
        await super().handle(messages[1:])


@pytest.mark.parametrize(("kind", "letters"), [(Consuming, 1), (BuriesFirst, 7)])
async def test_poison_in_a_batch_that_waits_for_the_database_is_put_aside_once(
    counts: PostgresCounts,
    dead_letters: DeadLetters,
    metrics_settings: MetricsSettings,
    kind: type[Consuming],
    letters: int,
) -> None:
    """The control buries first, and the batch is taken again and again."""
    handler = kind(never, AwayAtFirst(counts), dead_letters, batch=100)
    value, headers = sent(created())
    later = [(name, b"BookingMovedEvent" if name == "type" else content) for name, content in headers]
    messages = incoming([POISON["bytes"], (value, headers), (value, later)])
    for _ in range(6):
        with pytest.raises(Unavailable):
            await handler.handle(messages)
    await handler.handle(messages)
    assert handler.outcomes == {"counted": 1, "duplicate": 0, "ignored": 1, "dead": letters}
    assert len(messages_in(metrics_settings.kafka_address, metrics_settings.dead_letter_topic)) == letters


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
