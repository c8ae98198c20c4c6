"""What Prometheus sees, asked as it asks: from the tables, with closed sets of labels, and the same after a restart."""

import asyncio
import re
import urllib.request
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from booking_outbox.app import outbox_app
from booking_outbox.config import OutboxSettings
from chassis.probe import health
from messaging.exposition import exposed, gauge
from messaging.publisher import Outgoing, Publisher
from metrics_consumer.app import SERVICE, metrics_app
from metrics_consumer.config import MetricsSettings
from tests.bookings import cancelled, created, sent
from tests.outboxes import emptied, put, waiting
from tests.topics import header, messages_in, send

from tests.waiting import until_async
from workbook.ports import free_port

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

Seen = dict[str, float]
A_BOOKING = """
INSERT INTO bookings (id, user_id, event_id, ticket_count) VALUES (gen_random_uuid(), 'ada', 'jazz', 1) RETURNING id
"""


async def seen(port: int) -> Seen:
    """Each line that a scrape gives, with its labels, and its value."""
    text = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode())
    lines = re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


@asynccontextmanager
async def consumer(settings: MetricsSettings) -> AsyncIterator[int]:
    """A running metrics consumer that is ready; its port for Prometheus."""
    settings = settings.model_copy(update={"metrics_port": free_port()})
    async with metrics_app(settings) as server:
        address = f"127.0.0.1:{server.port}"

        async def ready() -> bool:
            return await asyncio.to_thread(health, address, SERVICE) == "SERVING"

        await until_async(ready)
        yield settings.metrics_port


async def test_bookings_as_prometheus_sees_them(metrics_settings: MetricsSettings) -> None:
    kept, regretted = created(2), created(3, "rock")
    refused = created(4, "opera")
    messages = (sent(kept), sent(regretted), sent(cancelled(regretted)), sent(cancelled(refused, was="PENDING")))
    send(metrics_settings.kafka_address, metrics_settings.bookings_topic, *messages)
    async with consumer(metrics_settings) as port:

        async def all_counted() -> bool:
            return (await seen(port))['bookings_total{status="cancelled"}'] == 2

        await until_async(all_counted)
        before = await seen(port)
    assert {name: value for name, value in before.items() if not name.startswith("consumer_")} == {
        'bookings_total{status="confirmed"}': 2,
        'bookings_total{status="cancelled"}': 2,
        'bookings_cancelled_total{previous_status="confirmed"}': 1,
        'bookings_cancelled_total{previous_status="pending"}': 1,
        "booking_tickets_sold_total": 5,
        "booking_tickets_returned_total": 3,
        'bookings_of_today{status="confirmed"}': 0,
        'bookings_of_today{status="cancelled"}': 0,
        "tickets_of_today": 0,
        **{f'popular_event_tickets{{rank="{rank}"}}': 2 if rank == 1 else 0 for rank in range(1, 11)},
    }
    metrics_settings.consumer_group = f"another-{uuid.uuid4().hex}"  # begins at the first message: a full replay
    async with consumer(metrics_settings) as port:

        async def all_seen_again() -> bool:
            return (await seen(port))['consumer_messages_total{outcome="duplicate"}'] == 4

        await until_async(all_seen_again)
        after = await seen(port)
    for name, value in before.items():
        assert name.startswith("consumer_") or after[name] == value, name


async def test_with_nothing_booked_every_label_is_there_at_zero(metrics_settings: MetricsSettings) -> None:
    send(metrics_settings.kafka_address, metrics_settings.bookings_topic, (b"", ()))
    async with consumer(metrics_settings) as port:
        found = await seen(port)
    assert found['bookings_total{status="confirmed"}'] == found['bookings_total{status="cancelled"}'] == 0
    assert set(re.findall(r'outcome="(\w+)"', " ".join(found))) == {"counted", "duplicate", "ignored", "dead"}
    assert not [name for name in found if "_created" in name]


async def test_what_cannot_be_read_is_left_out(
    metrics_settings: MetricsSettings, metrics_sql: psycopg.Connection
) -> None:
    send(metrics_settings.kafka_address, metrics_settings.bookings_topic, sent(created()))
    async with consumer(metrics_settings) as port:
        with metrics_sql.transaction():
            metrics_sql.execute("LOCK TABLE daily_bookings")  # as long as this lasts no sum can be read
            found = await seen(port)
            assert not [name for name in found if name.startswith("bookings_")]
            assert 'consumer_messages_total{outcome="dead"}' in found
        assert 'bookings_total{status="confirmed"}' in await seen(port)


async def test_a_port_that_is_taken_is_told() -> None:
    async def nothing() -> list["Metric"]:
        return [gauge("one", "1", {"": 1})]

    async with exposed("127.0.0.1", 0, nothing) as port:
        assert await seen(port) == {"one": 1}
        with pytest.raises(Exception, match=f"cannot listen on 127.0.0.1:{port}"):
            async with exposed("127.0.0.1", port, nothing):
                pass


# The outbox


async def test_the_outbox_as_prometheus_sees_it(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection
) -> None:
    settings = outbox_settings.model_copy(update={"metrics_port": free_port(), "outbox_relay": False})
    put(outbox_sql)
    put(outbox_sql)
    outbox_sql.execute(
        "UPDATE outbox SET written_at = now() - interval '100 s' WHERE id = (SELECT min(id) FROM outbox)"
    )
    async with outbox_app(settings):
        found = await seen(settings.metrics_port)
    assert (found["outbox_messages_waiting"], found["outbox_relay_leads"]) == (2, 0)
    assert 100 <= found["outbox_oldest_seconds"] < 130
    settings.outbox_relay = True
    async with outbox_app(settings):
        await emptied(outbox_sql)

        async def all_sent() -> bool:
            return (await seen(settings.metrics_port))["outbox_messages_sent_total"] == 2

        await until_async(all_sent)
        found = await seen(settings.metrics_port)
    assert (found["outbox_messages_waiting"], found["outbox_oldest_seconds"], found["outbox_relay_leads"]) == (0, 0, 1)


async def test_what_others_plug_in_is_used(outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection) -> None:
    settings = outbox_settings.model_copy(update={"metrics_port": free_port()})

    async def more() -> list["Metric"]:
        return [gauge("more", "of another", {"": 7})]

    class Naming(Publisher):
        async def deliver(self, messages: Sequence[Outgoing]) -> list[bool]:
            return await super().deliver([replace(message, key=b"named") for message in messages])

    publisher = Naming(settings, "naming")
    async with outbox_app(settings, publisher=publisher, traceparent=lambda id_: f"of {id_}", also_shown=[more]) as app:
        assert (await seen(settings.metrics_port))["more"] == 7
        (booking_id,) = outbox_sql.execute(A_BOOKING).fetchone() or (None,)
        await app.use_cases.cancel(booking_id)  # the event service is away: the tickets come back later
        await emptied(outbox_sql)
    (message,) = messages_in(settings.kafka_address, settings.bookings_topic)
    assert (message.key, header(message, "traceparent")) == (b"named", f"of {booking_id}")


async def test_with_kafka_away_bookings_go_on(outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection) -> None:
    """The service starts, is ready and stops, and what it would say waits in the outbox."""
    settings = outbox_settings.model_copy(update={"kafka_address": f"127.0.0.1:{free_port()}", "metrics_port": 0})
    put(outbox_sql)
    async with outbox_app(settings) as app:

        async def ready() -> bool:
            return (
                await asyncio.to_thread(health, f"127.0.0.1:{app.server.port}", "booking.BookingService") == "SERVING"
            )

        await until_async(ready)
    assert waiting(outbox_sql) == 1
