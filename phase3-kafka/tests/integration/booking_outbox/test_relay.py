"""The relay loses nothing, keeps the order of each booking. Each guard is also switched off."""

import asyncio
import uuid
from collections.abc import Callable, Sequence

import psycopg
import pytest
from booking_outbox import relay as relays
from booking_outbox.config import OutboxSettings
from booking_outbox.outbox import Outbox
from booking_outbox.relay import Relay
from booking_service.domain import Change, NewBooking, Status
from booking_service.postgres import AlsoWritten, PostgresBookings
from chassis.postgres import Connection, Database
from messaging.contract import HEADERS
from messaging.publisher import Outgoing, Publisher
from tests.outboxes import Relaying, emptied, put, waiting
from tests.topics import header, messages_in

from tests.waiting import until_async
from workbook.postgres import connect

WISH = NewBooking("ada", "jazz", 2)


async def test_messages_arrive_with_key_headers_and_value_and_the_rows_go(
    bookings: PostgresBookings,
    relaying: Relaying,
    outbox_sql: psycopg.Connection,
    outbox_settings: OutboxSettings,
) -> None:
    booking = await bookings.claim(WISH)
    await bookings.move(booking.id, Status.CONFIRMED)
    rows = outbox_sql.execute("SELECT message_id::text, value FROM outbox").fetchall()
    async with relaying() as relay:
        await emptied(outbox_sql)
    (message,) = messages_in(outbox_settings.kafka_address, outbox_settings.bookings_topic)
    assert (message.key, [(header(message, "message-id"), (message.value or b"").decode())]) == (
        str(booking.id).encode(),
        rows,
    )
    assert [name for name, _ in message.headers] == [*HEADERS]
    assert (header(message, "type"), header(message, "version")) == ("BookingCreatedEvent", "1")
    assert relay.sent == 1


async def test_many_bookings_arrive_each_in_its_own_order(
    bookings: PostgresBookings,
    relaying: Relaying,
    outbox_sql: psycopg.Connection,
    outbox_settings: OutboxSettings,
) -> None:
    async with relaying():
        claimed = await asyncio.gather(*(bookings.claim(WISH) for _ in range(200)))
        for target in (Status.CONFIRMED, Status.CANCELLED):
            await asyncio.gather(*(bookings.move(booking.id, target) for booking in claimed))
        await emptied(outbox_sql)
    told: dict[bytes | None, list[str]] = {}
    for message in messages_in(outbox_settings.kafka_address, outbox_settings.bookings_topic):
        told.setdefault(message.key, []).append(header(message, "type"))
    assert len(told) == 200
    assert {tuple(kinds) for kinds in told.values()} == {("BookingCreatedEvent", "BookingCancelledEvent")}


async def test_a_booking_has_one_message_under_way(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection
) -> None:
    """So no failure of the first lets the second overtake it."""
    one, other = uuid.uuid4(), uuid.uuid4()
    for booking_id, kind in ((one, "1"), (other, "1"), (one, "2"), (one, "3"), (other, "2")):
        put(outbox_sql, booking_id, kind)
    batches: list[list[tuple[bytes | None, str]]] = []

    class Noting(Publisher):
        async def deliver(self, messages: Sequence[Outgoing]) -> list[bool]:
            batches.append([(each.key, (dict(each.headers)["type"] or b"").decode()) for each in messages])
            return await super().deliver(messages)

    async with Relay(outbox_settings, Noting(outbox_settings, "relay")):
        await emptied(outbox_sql)
    first, second = str(one).encode(), str(other).encode()
    assert batches == [[(first, "1"), (second, "1")], [(first, "2"), (second, "2")], [(first, "3")]]


# Nothing is lost


async def late_commit(outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection, relay: Relay) -> set[str]:
    """A lower number is committed after a higher one is gone; returns the types of the messages that arrive."""
    async with relay:
        with psycopg.connect(**outbox_settings.conninfo()) as slow:  # type: ignore[arg-type]
            low = put(slow, kind="low")
            assert put(outbox_sql, kind="high") > low
            await emptied(outbox_sql)
            slow.commit()
        put(outbox_sql, kind="last")
        await emptied(outbox_sql, "last")
    return {
        header(message, "type")
        for message in messages_in(outbox_settings.kafka_address, outbox_settings.bookings_topic)
    }


async def test_a_row_that_appears_below_those_already_gone_is_sent(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection
) -> None:
    relay = Relay(outbox_settings, Publisher(outbox_settings, "relay"))
    assert await late_commit(outbox_settings, outbox_sql, relay) == {"low", "high", "last"}


async def test_behind_the_last_one_seen_it_would_be_lost(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection
) -> None:
    """The test above can fail."""

    class BehindTheLast(Relay):
        last_seen = 0

        async def _read(self, connection: Connection) -> list[relays.Row]:
            rows = [row for row in await super()._read(connection) if row.id > self.last_seen]
            self.last_seen = max([self.last_seen, *(row.id for row in rows)])
            return rows

    relay = BehindTheLast(outbox_settings, Publisher(outbox_settings, "relay"))
    assert await late_commit(outbox_settings, outbox_sql, relay) == {"high", "last"}


class Crash(BaseException):
    """The process dies here."""


async def lost_in_a_crash(database: Database, also_written: AlsoWritten, relaying: Relaying) -> bool:
    """A booking is confirmed, and its process dies right after the commit; later another one starts."""
    bookings = PostgresBookings(database, also_written)
    booking = await bookings.claim(WISH)
    with pytest.raises(Crash):
        await bookings.move(booking.id, Status.CONFIRMED)
    assert (await bookings.get(booking.id)).status is Status.CONFIRMED
    async with relaying() as relay:
        with connect(f"{relay._settings.db_host}:{relay._settings.db_port}", relay._settings.db_name) as sql:
            await emptied(sql)
    told = messages_in(relay._settings.kafka_address, relay._settings.bookings_topic)
    return str(booking.id).encode() not in {message.key for message in told}


def die() -> None:
    raise Crash


async def test_what_is_committed_is_sent_though_its_process_dies_at_once(
    database: Database, relaying: Relaying
) -> None:
    assert not await lost_in_a_crash(database, Outbox(die).also_written, relaying)


async def test_published_after_the_commit_it_would_be_lost(database: Database, relaying: Relaying) -> None:
    """The test above can fail: two writes, no outbox, and the process dies where it would publish."""

    async def publish_later(_connection: Connection, _changes: Sequence[Change]) -> Callable[[], object]:
        return die

    assert await lost_in_a_crash(database, {Status.CONFIRMED: publish_later}, relaying)


async def test_published_before_the_commit_it_would_tell_of_what_never_happened(
    database: Database, outbox_settings: OutboxSettings
) -> None:
    """The other half of the dual write: the message is out, the booking is not."""
    publisher = Publisher(outbox_settings, "dual write")

    async def publish_and_fail(_connection: Connection, changes: Sequence[Change]) -> None:
        keys = [str(change.booking.id).encode() for change in changes]
        await publisher.deliver([Outgoing(outbox_settings.bookings_topic, key, b"{}", ()) for key in keys])
        raise LookupError

    bookings = PostgresBookings(database, {Status.CONFIRMED: publish_and_fail})
    booking = await bookings.claim(WISH)
    with pytest.raises(LookupError):
        await bookings.move(booking.id, Status.CONFIRMED)
    assert (await bookings.get(booking.id)).status is Status.PENDING
    (message,) = messages_in(outbox_settings.kafka_address, outbox_settings.bookings_topic)
    assert message.key == str(booking.id).encode()


async def test_a_relay_that_dies_between_delivery_and_forgetting_sends_again_with_the_same_id(
    outbox_settings: OutboxSettings, outbox_sql: psycopg.Connection, relaying: Relaying, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(outbox_sql)
    with monkeypatch.context() as broken:
        broken.setattr(relays, "FORGET", "SELECT %s, pg_terminate_backend(pg_backend_pid())")
        async with relaying():

            async def delivered() -> bool:
                return len(messages_in(outbox_settings.kafka_address, outbox_settings.bookings_topic)) > 0

            await until_async(delivered)
    assert waiting(outbox_sql) == 1
    async with relaying():
        await emptied(outbox_sql)
    sent = messages_in(outbox_settings.kafka_address, outbox_settings.bookings_topic)
    assert len(sent) > 1
    assert len({header(message, "message-id") for message in sent}) == 1
