# %% [markdown]
# # Lesson 3: Kafka

# %%
from workbook.lesson import check

# %% [markdown]
# **Your task 3.1, a key that keeps order.** Write `message_for`. Kafka keeps order within one partition and nowhere else, and a
# message's key decides its partition.
#
# - The key: what a booking is created with and what it is cancelled with must stay in order; an event that everybody books must
#   not end on one partition.
# - The value: a JSON object with exactly `FIELDS`. What else the event carries is the service's own business.
# - The headers: `message-id`, `type` (the kind) and `version` (`"1"`), so that a reader can decide before it reads the value.
#
# Everything in a message is bytes. `hint("3.1")` helps.

# %%
import json
from dataclasses import dataclass
from typing import Any

FIELDS = ("booking_id", "user_id", "event_id", "ticket_count", "created_at")


@dataclass(frozen=True)
class Message:
    """What a producer sends: the key decides the partition, headers can be read without the value."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


def message_for(kind: str, event: dict[str, Any], message_id: str) -> Message:
    """The message that tells of an event, a BookingCreatedEvent or a BookingCancelledEvent."""
    ### BEGIN SOLUTION 3.1
    value = {field: event[field] for field in FIELDS}
    headers = {"message-id": message_id, "type": kind, "version": "1"}
    return Message(
        key=event["booking_id"].encode(),
        value=json.dumps(value).encode(),
        headers=[(name, text.encode()) for name, text in headers.items()],
    )
    ### END SOLUTION


# %%
check("3.1")

# %% [markdown]
# **Your task 3.2, handle, then commit.** Write `consume`: it reads a partition to its end and handles each record. Its process may
# die at any moment, and `handle` may fail; then somebody starts a new process, which reads from the last commit. No record may be
# lost, and at most **one** may be handled twice. `hint("3.2")` helps.

# %%
from collections.abc import Callable
from typing import Any, Protocol


class Log(Protocol):
    """A partition, as a consumer sees it."""

    def poll(self) -> Any | None:
        """The next record; None at the end."""

    def commit(self, record: Any) -> None:
        """Notes that this record and all before it are done: a new process begins behind it."""


def consume(log: Log, handle: Callable[[Any], None]) -> None:
    """Handles every record to the end of the log. An error of `handle` ends it: a new process tries again."""
    ### BEGIN SOLUTION 3.2
    while (record := log.poll()) is not None:
        handle(record)
        log.commit(record)
    ### END SOLUTION


# %%
check("3.2")

# %% [markdown]
# **Your task 3.3, counted once.** A message may come twice: handled, but not committed; sent again by the relay. Write
# `count_once`. There are two tables: `seen (message_id)` and `totals (status, count)`, each with its first column as primary key;
# both begin empty. True when this call counted the message, False when it was counted before. `hint("3.3")` helps.

# %%
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection


async def count_once(connection: AsyncConnection[Any], message_id: UUID, status: str) -> bool:
    """Adds 1 to the total of `status`, unless this message was counted before, by whatever process."""
    ### BEGIN SOLUTION 3.3
    note = "INSERT INTO seen (message_id) VALUES (%s) ON CONFLICT DO NOTHING"
    count = """
        INSERT INTO totals (status, count) VALUES (%s, 1)
        ON CONFLICT (status) DO UPDATE SET count = totals.count + 1
    """
    async with connection.transaction():
        noted = await connection.execute(note, [message_id])
        if noted.rowcount == 0:
            return False
        await connection.execute(count, [status])
        return True
    ### END SOLUTION


# %%
check("3.3")

# %% [markdown]
# **Your task 3.4, one transaction for both.** Write `confirm`: it moves a booking in `bookings (id, status)` from PENDING to
# CONFIRMED, and writes what happened into `outbox (id, booking_id, kind)`; `id` numbers itself. Both or neither, and only if the
# booking was really moved. True when it was. `hint("3.4")` helps.

# %%
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

KIND = "BookingCreatedEvent"


async def confirm(connection: AsyncConnection[Any], booking_id: UUID) -> bool:
    """Confirms a PENDING booking and leaves a row that tells of it; False, and nothing, when it was not PENDING."""
    ### BEGIN SOLUTION 3.4
    move = "UPDATE bookings SET status = 'CONFIRMED' WHERE id = %s AND status = 'PENDING'"
    async with connection.transaction():
        moved = await connection.execute(move, [booking_id])
        if moved.rowcount == 0:
            return False
        await connection.execute("INSERT INTO outbox (booking_id, kind) VALUES (%s, %s)", [booking_id, KIND])
        return True
    ### END SOLUTION


# %%
check("3.4")

# %% [markdown]
# **Your task 3.5, the relay.** Write `relay_once`: it takes up to `batch` rows of `outbox (id, booking_id, kind)` in the order of their
# ids, publishes them one after the other, and deletes exactly those. Awaiting `publish(id, booking_id, kind)` returns when Kafka has the message.
# Whatever dies, and whichever row becomes visible late: no row may be lost; sent twice is fine. `hint("3.5")` helps.

# %%
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection


async def relay_once(
    connection: AsyncConnection[Any], publish: Callable[[int, UUID, str], Awaitable[None]], batch: int
) -> int:
    """Publishes and deletes the oldest rows of the outbox, `batch` at most; returns how many."""
    ### BEGIN SOLUTION 3.5
    found = await connection.execute("SELECT id, booking_id, kind FROM outbox ORDER BY id LIMIT %s", [batch])
    rows = await found.fetchall()
    for row in rows:
        await publish(*row)  # an error ends it here, and every row is still there
    await connection.execute("DELETE FROM outbox WHERE id = ANY(%s)", [[row[0] for row in rows]])
    return len(rows)
    ### END SOLUTION


# %%
check("3.5")

# %% [markdown]
# **Your task 3.6, poison.** A record that can never be handled must not stop its partition. Write `handle_or_bury`: it tries a record up
# to `tries` times, at once; if every try fails, it awaits `bury(record, error)` with the last error and returns. `Unavailable` is different:
# a database is away, and no message is to blame. Let it pass, and bury nothing. `hint("3.6")` helps.

# %%
from collections.abc import Awaitable, Callable
from typing import Any

from chassis.errors import Unavailable


async def handle_or_bury(
    record: Any,
    handle: Callable[[Any], Awaitable[None]],
    bury: Callable[[Any, Exception], Awaitable[None]],
    tries: int = 3,
) -> None:
    """Returns when the record is handled or buried: then it may be committed. Raises when it is neither."""
    ### BEGIN SOLUTION 3.6
    for attempt in range(1, tries + 1):
        try:
            await handle(record)
        except Unavailable:
            raise
        except Exception as error:
            if attempt == tries:
                await bury(record, error)
        else:
            return
    ### END SOLUTION


# %%
check("3.6")

# %% [markdown]
# **Your task 3.7, an old reader, a new event.** Write `read_event`. Messages stay on the topic for a week, and their writers are
# older and newer than this reader. Fields that it does not know are none of its business; `seat` is new, and without it counts its
# default. All other fields must be there, with the types of `BookingEvent` (`created_at` with an offset from UTC: it says which day
# a booking belongs to). Whatever else comes, any bytes at all, is `Poison`, and its text names the field. `hint("3.7")` helps.

# %%
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


class Poison(Exception):
    """A message that no try will ever make readable."""


@dataclass(frozen=True)
class BookingEvent:
    booking_id: UUID
    user_id: str
    event_id: str
    ticket_count: int
    created_at: datetime
    seat: str = ""


def read_event(value: bytes) -> BookingEvent:
    """The event in a message's value; raises Poison, and nothing else."""
    ### BEGIN SOLUTION 3.7
    try:
        fields = json.loads(value)
    except ValueError as error:  # no JSON, or not even text
        raise Poison(f"the value is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise Poison(f"the value is no object but {fields!r}")

    def field(name: str, kind: type, read: Callable[[Any], Any] = lambda found: found) -> Any:
        found = fields.get(name)
        if type(found) is not kind:  # isinstance would take True for an int
            raise Poison(f"{name} is {found!r}, {kind.__name__} is wanted")
        try:
            return read(found)
        except ValueError as error:
            raise Poison(f"{name} is {found!r}: {error}") from error

    created_at = field("created_at", str, datetime.fromisoformat)
    if created_at.tzinfo is None:
        raise Poison(f"created_at is {fields['created_at']!r}, without an offset from UTC")
    return BookingEvent(
        booking_id=field("booking_id", str, UUID),
        user_id=field("user_id", str),
        event_id=field("event_id", str),
        ticket_count=field("ticket_count", int),
        created_at=created_at,
        seat=field("seat", str) if "seat" in fields else "",
    )
    ### END SOLUTION


# %%
check("3.7")

# %% [markdown]
# **Your task 3.8, lag.** How many messages has a group still to read, over all partitions? Three numbers of each partition are known:
# `low`, the offset of the oldest message that is kept; `high`, the offset that the next message will get; and what the group has
# committed: the offset it reads next, or None. A group that has committed nothing begins at the oldest message. What
# is no longer kept cannot be read. And a lag is never negative. `hint("3.8")` helps.


# %%
def lag(low: dict[int, int], high: dict[int, int], committed: dict[int, int | None]) -> int:
    """Messages still to be read, over all partitions."""
    ### BEGIN SOLUTION 3.8
    unread = 0
    for partition, end in high.items():
        begin = low[partition]
        at = committed[partition]
        if at is not None:
            begin = max(begin, at)
        unread += max(0, end - begin)
    return unread
    ### END SOLUTION


# %%
check("3.8")
