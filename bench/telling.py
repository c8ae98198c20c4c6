"""From a commit to Kafka: how long it takes at full rate, how fast a backlog goes, and a bare producer."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from booking_outbox.leadership import leading
from booking_outbox.relay import Relay
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message, Producer
from messaging.publisher import Publisher

from bench.contender import Calls, ContenderFailed
from bench.figures import Round
from bench.kafka import MESSAGES, bench_settings, ends, messages_between, outgoing, stamped_by_the_broker
from workbook.postgres import connect
from workbook.stack import LocalStack

FILL = """
INSERT INTO outbox (booking_id, type, value)
SELECT id, 'BookingCreatedEvent', jsonb_build_object('booking_id', id, 'user_id', 'ada', 'ticket_count', 2,
    'event_id', mod(number, 1000)::text, 'created_at', '2026-01-01T00:00:00Z')::text
FROM (SELECT number, gen_random_uuid() AS id FROM generate_series(1, %s::integer) AS number) AS booking
"""
COMMITTED = """
SELECT id::text, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float FROM bookings WHERE id = ANY(%s::uuid[])
"""
_PATIENCE = 60  # seconds for the outbox to be empty after a round


@dataclass(frozen=True, slots=True)
class Delay:
    """Bookings at full rate. Its times are those of their messages, from the commit until Kafka has the message."""

    name: str
    stack: LocalStack
    servers: Mapping[str, int] = field(default_factory=dict)

    def run(self, seconds: float, in_flight: int) -> Round:
        settings = bench_settings(self.stack, "bookings")
        stamped_by_the_broker(settings)
        before = ends(settings)
        load = Calls(self.name, "bench.phase2:many", self.stack["booking-service"].address)
        measured = load.run(seconds, in_flight)
        _wait_until_empty(self.stack)
        came = {_booking(each): _came_at(each) for each in messages_between(settings, before, ends(settings))}
        with connect(self.stack["postgres"].address, self.stack.settings_of("booking-service").db_name) as sql:
            delays = [came[booking] - committed for booking, committed in sql.execute(COMMITTED, [list(came)])]
        return replace(measured, calls=len(delays), latencies=delays)


def keep_commit_times(stack: LocalStack) -> None:
    """From now on PostgreSQL knows when each transaction was committed."""
    with connect(stack["postgres"].address) as sql:
        sql.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    stack["postgres"].restart()
    for part in stack.parts.values():
        if part.name not in {"postgres", "kafka"}:  # what they had open is closed
            part.restart()


def _booking(message: Message) -> str:
    return (message.key() or b"").decode()


def _came_at(message: Message) -> float:
    """Seconds of the clock that PostgreSQL reads too; Kafka tells them to the millisecond."""
    kind, milliseconds = message.timestamp()
    if kind != TIMESTAMP_LOG_APPEND_TIME:
        raise ContenderFailed("the broker does not say when a message came")
    return float(milliseconds / 1000)


def _wait_until_empty(stack: LocalStack) -> None:
    give_up_at = time.monotonic() + _PATIENCE
    with connect(stack["postgres"].address, stack.settings_of("booking-service").db_name) as sql:
        while sql.execute("SELECT FROM outbox LIMIT 1").rowcount:
            if time.monotonic() > give_up_at:
                raise ContenderFailed("the relay does not empty the outbox")
            time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Drain:
    """A relay with a backlog, in this process; its times are those of a batch."""

    name: str
    stack: LocalStack
    servers: Mapping[str, int]

    def run(self, seconds: float, _in_flight: int) -> Round:
        count = max(1, round(MESSAGES * seconds))
        settings = bench_settings(self.stack, "bench-drain")
        with connect(self.stack["postgres"].address, settings.db_name) as sql:
            sql.execute(FILL, [count])
            sql.execute("VACUUM ANALYZE outbox")
        return asyncio.run(self._drain(count))

    async def _drain(self, count: int) -> Round:
        settings = bench_settings(self.stack, "bench-drain")
        relay, times, clock = Relay(settings, Publisher(settings, "bench")), [], time.perf_counter
        async with leading(settings) as connection:
            began, cpu = clock(), time.process_time()
            while relay.sent < count:
                batch = clock()
                await relay.send_batch(connection)
                times.append(clock() - batch)
            return Round(count, clock() - began, times, time.process_time() - cpu)


@dataclass(frozen=True, slots=True)
class BareProducer:
    """A producer alone, with such messages: nothing is read, nothing is forgotten."""

    name: str
    stack: LocalStack
    servers: Mapping[str, int] = field(default_factory=dict)

    def run(self, seconds: float, _in_flight: int) -> Round:
        settings = bench_settings(self.stack, "bench-drain")
        messages = outgoing(settings.bookings_topic, max(1, round(MESSAGES * seconds)))
        producer = Producer({**settings.client("bare"), "enable.idempotence": True, "linger.ms": 2})
        producer.list_topics(settings.bookings_topic, 10)  # it is connected
        began, cpu = time.perf_counter(), time.process_time()
        for each in messages:
            producer.produce(each.topic, each.value, each.key, headers=[*each.headers])
        if producer.flush(_PATIENCE):
            raise ContenderFailed("not everything was delivered")
        elapsed = time.perf_counter() - began
        return Round(len(messages), elapsed, [elapsed], time.process_time() - cpu)
