# %% [markdown]
# # Lesson 3: Kafka, a message for every booking
#
# **Where we are.** Two services keep their promise. Now others want to know what happens in them: somebody counts
# bookings, somebody sends mails, somebody recommends. This lesson adds **Kafka**, a log that everybody can read, and
# the **metrics consumer**, the first who reads it.
#
# ![The system, and the phase that adds each part](../docs/system.svg)
#
# The promise grows by one sentence:
#
# > Every change of a booking is told at least once, and counted exactly once. Whoever dies, whenever.
#
# It takes about two hours; section 6 begins the second half. After it you can
#
# - say when a message is better than a call, and what it costs;
# - read a topic like a book: partitions, offsets, keys, groups;
# - choose between losing messages and getting some twice, and then count each once all the same;
# - show with a number why "save it, then send it" loses messages, and write the outbox that does not;
# - keep one unreadable message from stopping everything behind it;
# - change a message without breaking its readers.

# %%
import asyncio
import json
import time
import uuid
from contextlib import AsyncExitStack, suppress
from typing import Any

from workbook import pictures
from workbook.lesson import check, hint, local_stack, outcome, predict, solution

stack = local_stack(3)
EVENTS, BOOKINGS, KAFKA = (stack[name].address for name in ("event-service", "booking-service", "kafka"))
print("running:", ", ".join(stack.parts))

# %% tags=["measured"]
from workbook.kafka.choice import described

print("Kafka is", described(stack.kafka))

# %% [markdown]
# ## 1. Who else wants to know? (7 min)
# **The pain.** After each booking three others shall hear of it: metrics, mail, recommendations. The obvious way is to
# call them. Here they are, three small services in this kernel; each takes 30 ms to do its work. `tell_all` calls one
# after the other.

# %%
import grpc
from workbook.props.one_method import channel_to

TOLD = "/listeners.Listener/Told"


class Listener:
    """Somebody who wants to hear of every booking, and takes a while for each."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def told(self, request: bytes, context: Any) -> bytes:
        await asyncio.sleep(self.seconds)
        return b""


async def tell_all(*seconds: float, bookings: int = 5) -> float:
    """How long one booking takes on average, in milliseconds, when its listeners are called before it is answered."""
    async with AsyncExitStack() as open_:
        calls = []
        for each in seconds:
            method = grpc.unary_unary_rpc_method_handler(Listener(each).told)
            calls.append((await open_.enter_async_context(channel_to(TOLD, method))).unary_unary(TOLD))
        began = time.perf_counter()
        for _ in range(bookings):
            for call in calls:
                with suppress(grpc.aio.AioRpcError):  # the booking is made: it cannot fail because somebody is deaf
                    await call(b"booked", timeout=1)
        return round((time.perf_counter() - began) / bookings * 1000, 1)


# %%
predict(
    "P3.1",
    "Three listeners, 30 ms each. Then one of them hangs; each call has a deadline of 1 second. How long does it take "
    "now until a booking is answered?",
    a="about 0.1 s: the one that hangs is skipped",
    b="about 1 s",
    c="about 3 s",
    choice="b",
)

# %% tags=["measured"]
waits = {
    "nobody listens": await tell_all(),
    "three listeners": await tell_all(0.03, 0.03, 0.03),
    "one of them hangs": await tell_all(0.03, 5, 0.03, bookings=2),
}
pictures.bars(waits, "ms")
hangs = waits["one of them hangs"]
outcome("P3.1", "a" if hangs < 500 else "b" if hangs < 2000 else "c", f"{hangs / 1000:.1f} s, and one heard nothing")

# %% [markdown]
# Every new listener makes every booking slower, and each has to be there at that moment. The one that hung has missed
# its bookings, and nobody will tell it again. The booking service also has to *know* all of them.
#
# Turn it round. The booking service writes one line into a **log**: "booking 4fd5 was confirmed". It does not know who
# reads it. Readers come when they can, read at their own pace, and remember for themselves how far they are. That is
# what **Kafka** is: a server that keeps logs.
#
# It costs something, too. A log has no answers: whoever must know *now* whether there is a ticket left has to call.
#
# ## 2. A topic is a log (12 min)
# A log with a name is called a **topic**. It is cut into **partitions**, so that several machines can keep it and
# several readers can share the work. A message goes to the end of one partition and gets a number there, its
# **offset**. It may carry a **key**: messages with the same key go to the same partition.
#
# Write twelve messages about four bookings: first that each was made, then that each was paid, then that each was seen.

# %%
from workbook.props.topics import fresh_topic, read_all, send

STEPS = ("made", "paid", "seen")
KEYS = ("ada", "ece", "leo", "mia")
topic = fresh_topic(KAFKA)
written = send(KAFKA, topic, [(key, f"{key} {step}") for step in STEPS for key in KEYS])
stands = {record.value: record for record in written}
for value in [f"{key} {step}" for step in STEPS for key in KEYS][:6]:
    print(f"{value} → partition {stands[value].partition}, offset {stands[value].offset}")

# %%
predict(
    "P3.2",
    "The topic has four partitions. Somebody reads it from the beginning. In which order do the twelve messages come?",
    a="in the order in which they were written",
    b="those of one booking in order, the bookings mixed",
    c="in no order one can rely on",
    choice="b",
)

# %% tags=["measured"]
read = read_all(KAFKA, topic)
pictures.partitions({number: [each.value for each in read if each.partition == number] for number in range(4)})
print("as a reader gets them:", ", ".join(each.value for each in read))
as_written = [each.value for each in read] == [f"{key} {step}" for step in STEPS for key in KEYS]
per_key = all([each.value for each in read if each.key == key] == [f"{key} {step}" for step in STEPS] for key in KEYS)
outcome("P3.2", "a" if as_written else "b" if per_key else "c", "in order for each key, and no further")

# %% [markdown]
# **Order is kept within a partition, and nowhere else.** What must stay in order needs the same key. Read it once more:

# %%
again = read_all(KAFKA, topic)
same = sorted(each.value for each in again) == sorted(each.value for each in read)
print(len(again), "messages; the same as before:", same)

# %% [markdown]
# Reading takes nothing away. A queue hands each message to one worker and forgets it. A log keeps it for as long as it
# was told to, for all readers, and for those who come next year.

# %% [markdown]
# **Your task 3.1, a key that keeps order.** Write `message_for`. Kafka keeps order within one partition and nowhere
# else, and a message's key decides its partition.
#
# - The key: what a booking is created with and what it is cancelled with must stay in order; an event that everybody
#   books must not end on one partition.
# - The value: a JSON object with exactly `FIELDS`. What else the event carries is the service's own business.
# - The headers: `message-id`, `type` (the kind) and `version` (`"1"`), so that a reader can decide before it reads the
#   value.
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
# **Why not the event as the key?** Then one event's bookings would be in order among each other. Nobody needs that, and
# on the evening of a big sale one partition would get everything. Nor the user: an agency books for thousands.
#
# ## 3. A group shares the work (8 min)
# One reader may be too slow. Readers with the same **group** name share a topic: each partition is read by one member
# at a time. When a member comes or goes, the partitions are dealt out anew, which is called a **rebalance**.

# %%
predict(
    "P3.3",
    "The topic has four partitions. Six members of one group read it. How many of them get something to do?",
    a="six: they take turns",
    b="four",
    c="one, the others stand by",
    choice="b",
)

# %%
from workbook.props.members import Members


async def dealt_out(members: Members) -> dict[str, list[int]]:
    """Who reads which partitions, once each of the four has exactly one reader and nobody reads two without need."""
    async with asyncio.timeout(40):
        while True:
            shares = members.shares()
            working = [share for share in shares.values() if share]
            if sorted(number for share in working for number in share) == [0, 1, 2, 3] and len(working) == min(
                4, len(shares)
            ):
                return shares
            await asyncio.sleep(0.1)


def show(moment: str, shares: dict[str, list[int]]) -> None:
    print(f"{moment:16}", "  ".join(f"{name} {share}" for name, share in shares.items()))


# %% [markdown]
# Members are processes here, so that one can be killed. Watch who gets what:

# %% tags=["measured"]
if stack.kafka == "embedded":
    print("○ not run (needs Apache Kafka: ./learn kafka install): the embedded broker takes minutes for a rebalance")
else:
    with Members(KAFKA, topic) as members:
        members.join("ada")
        show("one member", await dealt_out(members))
        members.join("bob")
        show("a second one", await dealt_out(members))
        for name in ("cem", "dia", "eve", "fay"):
            members.join(name)
        shares = await dealt_out(members)
        show("six", shares)
        working = [name for name, share in shares.items() if share]
        outcome("P3.3", {6: "a", 4: "b"}.get(len(working), "c"), f"{len(working)} of 6")
        members.kill(working[0])
        began = time.perf_counter()
        show(f"{working[0]} is killed", await dealt_out(members))
        print(f"the share of {working[0]} was taken over after {time.perf_counter() - began:.0f} s")

# %% [markdown]
# More members than partitions are of no use, except as a reserve. So the number of partitions is the most that a group
# can ever share: choose it with some room. A member that is killed says goodbye to nobody. The others get its share
# when its **session** runs out, here after 6 seconds without a sign of life.
#
# A group with another name reads the same topic from its own place. Metrics, mail and recommendations are three groups.
#
# ## 4. Lost, or twice (12 min)
# A group keeps its place in Kafka: for each partition, the offset of the message to read next. To **commit** is to
# write that place down. A member that takes over begins there. When should one commit: before a message is handled, or
# after?
#
# **Break it.** A process handles 300 messages in batches of 20. It is killed three times with SIGKILL, and started
# again. Once it commits before it handles a batch, once after.


# %%
async def killed_three_times(commit: str) -> tuple[int, int]:
    """How many of 300 messages were never handled, and how often one was handled again."""
    numbers = fresh_topic(KAFKA)
    send(KAFKA, numbers, [(str(number), str(number)) for number in range(300)])
    with Members(KAFKA, numbers) as members:
        for deaths in range(1, 4):
            members.join("worker", "--partitions", "4", "--seconds", "0.01", "--commit", commit)
            async with asyncio.timeout(60):
                while len(members.handled()) < 65 * deaths:
                    await asyncio.sleep(0.01)
            members.kill("worker")
        members.join("worker", "--partitions", "4", "--seconds", "0.01", "--commit", commit)
        await quiet(members)
        handled = members.handled()
    return 300 - len(set(handled)), len(handled) - len(set(handled))


async def quiet(members: Members, seconds: float = 1.5) -> None:
    """Returns when something was handled in the end, and nothing more for a while."""
    before, since = len(members.handled()), time.monotonic()
    moved = False
    async with asyncio.timeout(60):
        while not moved or time.monotonic() - since < seconds:
            if (now := len(members.handled())) != before:
                before, since, moved = now, time.monotonic(), True
            await asyncio.sleep(0.05)


predict(
    "P3.4",
    "300 messages, three SIGKILLs, batches of 20; the place is committed AFTER a batch is handled. What happens to "
    "the messages?",
    a="each is handled exactly once",
    b="some are lost",
    c="some are handled twice, none is lost",
    choice="c",
)

# %% tags=["measured"]
lost_before, twice_before = await killed_three_times("before")
lost, twice = await killed_three_times("after")
print(f"commit, then handle: {lost_before:3} lost, {twice_before:3} twice")
print(f"handle, then commit: {lost:3} lost, {twice:3} twice")
outcome("P3.4", "b" if lost else "c" if twice else "a", f"{lost} lost, {twice} twice")

# %% [markdown]
# - **At most once**: commit first. What was in hand when the process died is never seen again.
# - **At least once**: handle first. What was handled and not yet committed is handled again.
#
# There is no third moment. Handling and committing are two steps in two systems, and a process can die between them.
# But only one of the two can be mended: you can notice that something came twice, not that something never came.

# %% [markdown]
# **Your task 3.2, handle, then commit.** Write `consume`: it reads a partition to its end and handles each record. Its
# process may die at any moment, and `handle` may fail; then somebody starts a new process, which reads from the last
# commit. No record may be lost, and at most **one** may be handled twice. `hint("3.2")` helps.

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
# **Why not leave it to the library?** By default it commits every five seconds what it has handed out, whether it is
# handled or not. That is some of both: lost and twice. The consumer of this system turns it off.
#
# ## 5. Counted once (10 min)
# So messages come twice. The metrics consumer counts bookings, and it must count none twice. It is **the idea of lesson
# 2** again. Each message has an id, and those that were counted are written down: in the same database, in **the same
# transaction** as the count.

# %%
predict(
    "P3.5",
    "A consumer counts messages in PostgreSQL and writes their ids down in the same transaction. 100 messages are on "
    "the topic. It is read three times from the beginning. What is the count?",
    a="100",
    b="300",
    c="something between",
    choice="a",
)

# %% [markdown]
# **Your task 3.3, counted once.** A message may come twice: handled, but not committed; sent again by the relay. Write
# `count_once`. There are two tables: `seen (message_id)` and `totals (status, count)`, each with its first column as
# primary key; both begin empty. True when this call counted the message, False when it was counted before.
# `hint("3.3")` helps.

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
# Now with a real topic. It is read three times from the beginning, and your function counts. (Messages of the real
# system carry their id in a header; here the value is the id.)

# %%
from uuid import UUID

import psycopg
from workbook.postgres import connect

with connect(stack["postgres"].address, "booking_db") as database:
    database.execute("DROP SCHEMA IF EXISTS lesson CASCADE")
    database.execute("CREATE SCHEMA lesson")
    database.execute("CREATE TABLE lesson.seen (message_id uuid PRIMARY KEY)")
    database.execute("CREATE TABLE lesson.totals (status text PRIMARY KEY, count bigint NOT NULL)")
    database.execute("CREATE TABLE lesson.bookings (id uuid PRIMARY KEY, status text NOT NULL DEFAULT 'PENDING')")
    database.execute(
        "CREATE TABLE lesson.outbox "
        "(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, booking_id uuid NOT NULL, kind text NOT NULL)"
    )

where = {**stack.settings_of("booking-service").conninfo(), "options": "-c search_path=lesson"}


async def connected() -> psycopg.AsyncConnection[Any]:
    """A connection of its own to the lesson's tables."""
    return await psycopg.AsyncConnection.connect(**where, autocommit=True)


async def rows(query: str) -> list[tuple[Any, ...]]:
    async with await connected() as connection:
        return await (await connection.execute(query)).fetchall()


# %% tags=["uses-answer"]
read_thrice = fresh_topic(KAFKA)
send(KAFKA, read_thrice, [(str(number), str(uuid.uuid4())) for number in range(100)])
async with await connected() as connection:
    await connection.execute("TRUNCATE seen, totals")
    for _ in range(3):
        for record in await asyncio.to_thread(read_all, KAFKA, read_thrice):
            await count_once(connection, UUID(record.value), "CONFIRMED")
(total,) = (await rows("SELECT count FROM totals"))[0]
outcome("P3.5", "a" if total == 100 else "b" if total == 300 else "c", f"{total}")

# %% [markdown]
# "Exactly once" cannot be delivered. It can be **had in effect**: delivered at least once, and harmless when it comes
# again. The word for such a step is **idempotent**.
#
# **Why not remember the last offset?** It is shorter, and it is wrong: whoever sends a message again gives it a new
# offset. Section 7 does just that.
#
# **And Kafka's own transactions?** They make "read here, write there" one step, where *there* is Kafka, too. Our count
# is in PostgreSQL.
#
# ## 6. Save it, then send it (11 min)
# Now the sender. A booking is confirmed in PostgreSQL and told to Kafka: two systems, two steps, and a process that can
# die between them. You know this sentence by now.

# %%
from workbook.props.topics import Sender


class ProcessDied(Exception):
    """Stands for a SIGKILL at this point."""


CONFIRM = "UPDATE bookings SET status = 'CONFIRMED' WHERE id = %s AND status = 'PENDING'"


sender = Sender(KAFKA)


async def save_then_send(connection: Any, topic: str, booking_id: UUID, dies: bool) -> None:
    await connection.execute(CONFIRM, [booking_id])
    if dies:
        raise ProcessDied
    await asyncio.to_thread(sender.send, topic, [(str(booking_id), str(booking_id))])


async def send_then_save(connection: Any, topic: str, booking_id: UUID, dies: bool) -> None:
    await asyncio.to_thread(sender.send, topic, [(str(booking_id), str(booking_id))])
    if dies:
        raise ProcessDied
    await connection.execute(CONFIRM, [booking_id])


async def forty(way: Any) -> tuple[int, int]:
    """Confirms 40 bookings and dies in the middle of each tenth: how many are saved, not told; told, not saved."""
    topic = fresh_topic(KAFKA)
    async with await connected() as connection:
        await connection.execute("TRUNCATE bookings")
        for number in range(40):
            booking_id = uuid.uuid4()
            await connection.execute("INSERT INTO bookings (id) VALUES (%s)", [booking_id])
            with suppress(ProcessDied):
                await way(connection, topic, booking_id, dies=number % 10 == 9)
    saved = {str(found) for (found,) in await rows("SELECT id FROM bookings WHERE status = 'CONFIRMED'")}
    told = {record.value for record in await asyncio.to_thread(read_all, KAFKA, topic)}
    return len(saved - told), len(told - saved)


# %%
predict(
    "P3.6",
    "40 bookings, and the process dies four times between its two steps. Which order of the steps is right?",
    a="save first: then nothing is told that is not true",
    b="send first: then everything that is true is told",
    c="neither",
    choice="c",
)

# %%
saved_first = await forty(save_then_send)
sent_first = await forty(send_then_save)
print("                  saved, never told   told, never saved")
print(f"save, then send   {saved_first[0]:17}   {saved_first[1]:17}")
print(f"send, then save   {sent_first[0]:17}   {sent_first[1]:17}")
neither = saved_first[0] and sent_first[1]
outcome("P3.6", "c" if neither else "a" if sent_first[1] else "b", "each is wrong, in its own way")

# %% [markdown]
# This is the **dual write**: two systems shall change together, and no order of the steps makes it so. Trying again
# does not help a process that is dead.
#
# The way out: **write to one system only**. PostgreSQL can write two rows in one transaction: the booking, and a note
# "tell this". The table of the notes is called the **outbox**. Somebody else reads it later and does the telling.

# %% [markdown]
# **Your task 3.4, one transaction for both.** Write `confirm`: it moves a booking in `bookings (id, status)` from
# PENDING to CONFIRMED, and writes what happened into `outbox (id, booking_id, kind)`; `id` numbers itself. Both or
# neither, and only if the booking was really moved. True when it was. `hint("3.4")` helps.

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
# The same 40 bookings with your `confirm`. It dies before its transaction or right after it; between the two rows there
# is no moment left to die in that anybody could see.


# %% tags=["uses-answer"]
async def confirm_and_die(connection: Any, booking_id: UUID, dies: str | None) -> None:
    if dies == "before":
        raise ProcessDied
    await confirm(connection, booking_id)
    if dies == "after":
        raise ProcessDied


async with await connected() as connection:
    await connection.execute("TRUNCATE bookings, outbox")
    for number in range(40):
        booking_id = uuid.uuid4()
        await connection.execute("INSERT INTO bookings (id) VALUES (%s)", [booking_id])
        with suppress(ProcessDied):
            await confirm_and_die(connection, booking_id, {8: "before", 9: "after"}.get(number % 10))
saved = {found for (found,) in await rows("SELECT id FROM bookings WHERE status = 'CONFIRMED'")}
noted = {found for (found,) in await rows("SELECT booking_id FROM outbox")}
print(f"{len(saved)} saved; {len(saved - noted)} saved and not noted, {len(noted - saved)} noted and not saved")

# %% [markdown]
# ## 7. The relay (13 min)
# Whoever empties the outbox into Kafka is called a **relay**. It looks easy: remember the last id that was sent, and
# send what is larger.


# %%
async def relay_by_last_id(connection: Any, sent: list[int], last_seen: int) -> int:
    """Sends what is above `last_seen`; returns the new one."""
    found = await connection.execute("SELECT id FROM outbox WHERE id > %s ORDER BY id", [last_seen])
    for (row_id,) in await found.fetchall():
        sent.append(row_id)
        last_seen = row_id
    return last_seen


predict(
    "P3.7",
    "Two bookings are confirmed at the same time. The first takes outbox id 1 and is slow to commit; the second takes "
    "id 2 and commits at once. The relay above looks now, and again later. What does it send?",
    a="2, then 1",
    b="1, then 2: it waits for the gap to close",
    c="only 2",
    choice="c",
)

# %%
NOTE = "INSERT INTO outbox (booking_id, kind) VALUES (gen_random_uuid(), 'BookingCreatedEvent')"
sent: list[int] = []
async with await connected() as slow, await connected() as quick, await connected() as relay:
    await relay.execute("TRUNCATE outbox RESTART IDENTITY")
    async with slow.transaction():
        await slow.execute(NOTE)
        await quick.execute(NOTE)
        last_seen = await relay_by_last_id(relay, sent, 0)
    last_seen = await relay_by_last_id(relay, sent, last_seen)
print("there:", [found for (found,) in await rows("SELECT id FROM outbox ORDER BY id")], "sent:", sent)
outcome("P3.7", {(2, 1): "a", (1, 2): "b"}.get(tuple(sent), "c"), f"{sent}; row 1 stays for ever")

# %% [markdown]
# Numbers are given out when a row is *written*; rows are seen when they are *committed*. A higher number may be seen
# first, and "larger than the last" then leaves one behind for ever. Under load it happens again and again, and no
# error tells of it.
#
# So the relay remembers nothing. It takes what is there, sends it, waits until Kafka has **confirmed**, and deletes
# exactly these rows.

# %% [markdown]
# **Your task 3.5, the relay.** Write `relay_once`: it takes up to `batch` rows of `outbox (id, booking_id, kind)` in
# the order of their ids, publishes them one after the other, and deletes exactly those. Awaiting `publish(id,
# booking_id, kind)` returns when Kafka has the message. Whatever dies, and whichever row becomes visible late: no row
# may be lost; sent twice is fine. `hint("3.5")` helps.

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
# **Break it.** Your relay dies after Kafka has confirmed, and before the rows are deleted. Then another one starts.

# %% tags=["uses-answer"]
relayed = fresh_topic(KAFKA)


async def publish(row_id: int, booking_id: UUID, kind: str) -> None:
    await asyncio.to_thread(sender.send, relayed, [(str(booking_id), str(row_id))])


async def publish_and_die(row_id: int, booking_id: UUID, kind: str) -> None:
    await publish(row_id, booking_id, kind)
    if row_id == 5:
        raise ProcessDied


async with await connected() as connection:
    await connection.execute("TRUNCATE outbox RESTART IDENTITY")
    for _ in range(5):
        await connection.execute(NOTE)
    try:
        await relay_once(connection, publish_and_die, 10)
    except ProcessDied:
        print("died; rows in the outbox:", len(await rows("SELECT id FROM outbox")))
    await relay_once(connection, publish, 10)
print("on the topic:", sorted(int(record.value) for record in read_all(KAFKA, relayed)))

# %% [markdown]
# Everything is there, and all of it twice. That is at least once; section 5 makes it count once. The second copies have
# offsets of their own: whoever remembered offsets would count ten.
#
# **Why one leader?** Two relays that share the rows could send a booking's second message before its first. The relay
# of this system runs in every copy of the booking service, and one of them leads. It holds an **advisory lock** of
# PostgreSQL, which is free again the moment its connection breaks.
#
# **Why delete, and not mark as sent?** A table of what is waiting stays small, and its size says how far behind you
# are.
#
# ## 8. One bad message (9 min)
# **The pain.** A message comes that nobody can read: half a JSON, a bug of the sender. The consumer raises, is started
# again, reads the same message, raises. Behind it the log grows.

# %%
predict(
    "P3.8",
    "100 messages on four partitions, one of them unreadable. The consumer ends at an error and is started again, five "
    "times. How many are handled?",
    a="99: all but the bad one",
    b="those before the bad one, on all partitions",
    c="those before the bad one on its partition, all on the others",
    choice="c",
)

# %%
from collections import Counter

mixed = fresh_topic(KAFKA)
send(KAFKA, mixed, [(str(n), "{half a JSON" if n == 50 else json.dumps({"number": n})) for n in range(100)])


def started_again(topic: str, times: int = 5) -> dict[int, int]:
    """What was handled of each partition, by a consumer that ends at an error and begins again where it was."""
    records = read_all(KAFKA, topic)
    handled = dict.fromkeys(range(4), 0)
    for _ in range(times):
        for number in handled:
            for record in [each for each in records if each.partition == number][handled[number] :]:
                try:
                    json.loads(record.value)
                except ValueError:
                    break  # here the process ends; the next one begins here
                handled[number] += 1
    return handled


handled = started_again(mixed)
there = Counter(record.partition for record in read_all(KAFKA, mixed))
for number in range(4):
    print(f"partition {number}: {handled[number]:2} of {there[number]} handled")
stuck = [number for number in range(4) if handled[number] < there[number]]
answer = {0: "a", 1: "c"}.get(len(stuck), "b")
outcome("P3.8", answer, f"{sum(handled.values())} of 100: partition {stuck[0]} stands still")

# %% [markdown]
# Starting again does not make a message readable. After a few tries it has to get out of the way: into another topic,
# for **dead letters**, with a note where it came from and why. The partition goes on. Somebody looks at it later, mends
# the bug, and puts it back, which is called a **redrive**.
#
# But not every error is the message's fault. If PostgreSQL is away, every message fails; whoever buries them then
# buries the whole topic. When it is nobody's fault, the consumer has to wait.

# %% [markdown]
# **Your task 3.6, poison.** A record that can never be handled must not stop its partition. Write `handle_or_bury`: it
# tries a record up to `tries` times, at once; if every try fails, it awaits `bury(record, error)` with the last error
# and returns. `Unavailable` is different: a database is away, and no message is to blame. Let it pass, and bury
# nothing. `hint("3.6")` helps.

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
# The same topic, with your function:

# %% tags=["uses-answer"]
buried: list[tuple[Any, Exception]] = []
counts: Counter[int] = Counter()


async def read_number(record: Any) -> None:
    json.loads(record.value)
    counts[record.partition] += 1


async def bury(record: Any, error: Exception) -> None:
    buried.append((record, error))


for record in read_all(KAFKA, mixed):
    await handle_or_bury(record, read_number, bury)
print(f"{counts.total()} of 100 handled, {len(buried)} buried")
for record, error in buried:
    print(f"from partition {record.partition}, offset {record.offset}: {error}")

# %% [markdown]
# ## 9. Readers who are older than the message (8 min)
# A topic outlives its programs. A program of today reads messages of last year, and a program of last year reads those
# of today. Here is one of last year. It takes a message for what it knew then.

# %%
from dataclasses import dataclass


@dataclass(frozen=True)
class LastYear:
    """A booking's event, as it was last year."""

    booking_id: str
    user_id: str
    event_id: str
    ticket_count: int
    created_at: str


def event_of(number: int, **more: Any) -> bytes:
    fields = {
        "booking_id": str(UUID(int=number)),
        "user_id": "ada",
        "event_id": "jazz-night",
        "ticket_count": 2,
        "created_at": "2026-11-24T12:46:04+00:00",
    }
    return json.dumps({**fields, **more}).encode()


def dead_letters(read: Any, values: list[bytes]) -> int:
    """How many of these a reader cannot take."""
    dead = 0
    for value in values:
        try:
            read(value)
        except NotImplementedError:  # task 3.7 is not written yet
            raise
        except Exception:
            dead += 1
    return dead


# Since noon the writers tell the seat, too.
all_day = [event_of(number) for number in range(40)] + [event_of(number, seat="B7") for number in range(40, 100)]

predict(
    "P3.9",
    "Of 100 messages, 60 carry a new field, `seat`. The reader is `LastYear(**json.loads(value))`. What happens?",
    a="nothing: it does not know the field and passes over it",
    b="60 dead letters",
    c="100 dead letters",
    choice="b",
)

# %%
dead = dead_letters(lambda value: LastYear(**json.loads(value)), all_day)
outcome("P3.9", "a" if dead == 0 else "b" if dead == 60 else "c", f"{dead} dead letters")

# %% [markdown]
# Nobody touched the reader, and it broke. JSON has names where Protocol Buffers have numbers, but the rules are those
# of lesson 1:
#
# - A field that a reader does not know is none of its business.
# - A field that is new is optional: messages without it are still on the topic.
# - What was always required is checked. A message without it is unreadable, and section 8 knows what to do with it.

# %% [markdown]
# **Your task 3.7, an old reader, a new event.** Write `read_event`. Messages stay on the topic for a week, and their
# writers are older and newer than this reader. Fields that it does not know are none of its business; `seat` is new; a
# message without it gets the default. All other fields must be there, with the types of `BookingEvent` (`created_at`
# with an offset from UTC: it says which day a booking belongs to). Whatever else comes, any bytes at all, is `Poison`,
# and its text names the field. `hint("3.7")` helps.

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

# %% tags=["uses-answer"]
print(dead_letters(read_event, all_day), "dead letters;", dead_letters(read_event, [b"{half", b"[]"]), "of 2 bad ones")

# %% [markdown]
# **What if the meaning has to change?** Then it is a new `version` in the header, and a time when both are written. A
# reader that does not know a version puts the message aside. Learn the version, then redrive.
#
# ## 10. All of it (14 min)
# In the system of this phase the booking service writes its outbox row in the transaction of section 6. Its relay sends
# as in section 7. The **metrics consumer** counts, commits and buries as in sections 4, 5 and 8, and shows its figures
# on a page that phase 4 will collect. Book something, and see what comes out at the other end:

# %%
from urllib.request import urlopen

from workbook.props.crowd import crowd, on_sale

PAGE = f"http://{stack.metrics_address('metrics-consumer')}/metrics"


async def figure(name: str) -> int:
    """A figure on the page of the metrics consumer; 0 while nobody answers there."""
    try:
        page = await asyncio.to_thread(lambda: urlopen(PAGE, timeout=5).read().decode())
    except OSError:
        return 0
    return int(sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(name)))


CONFIRMED_TOTAL = 'bookings_total{status="confirmed"}'


async def until_counted(count: int, seconds: float = 60) -> float:
    """Returns how long it took until so many confirmed bookings are counted."""
    began = time.perf_counter()
    async with asyncio.timeout(seconds):
        while await figure(CONFIRMED_TOTAL) < count:
            await asyncio.sleep(0.02)
    return time.perf_counter() - began


# %% tags=["measured"]
event_id = await on_sale(EVENTS, capacity=100_000)
before = await figure(CONFIRMED_TOTAL)
sale = await crowd([BOOKINGS], event_id, [1] * 50)
took = await until_counted(before + len(sale.bookings))
now = await figure(CONFIRMED_TOTAL)
print(f"{len(sale.bookings)} booked; {now - before} counted, {took * 1000:.0f} ms after the last answer")

# %% [markdown]
# ### How far behind?
# The most important number of a consumer is its **lag**: how many messages are there that it has not handled yet. It is
# the end of the log minus the committed place, of each partition.

# %% [markdown]
# **Your task 3.8, lag.** How many messages has a group still to read, over all partitions? Three numbers of each
# partition are known: `low`, the offset of the oldest message that is kept; `high`, the offset that the next message
# will get; and what the group has committed: the offset it reads next, or None. A group that has committed nothing
# begins at the oldest message. What is no longer kept cannot be read. And a lag is never negative. `hint("3.8")` helps.


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

# %% [markdown]
# Now the real consumer. While it is dead, 40 people book:

# %% tags=["uses-answer", "measured"]
from workbook.props.for_a_while import dead as killed
from workbook.props.topics import ends, places


def lags() -> dict[str, int]:
    """The lag of the metrics consumer, by partition."""
    at, committed = ends(KAFKA, "bookings"), places(KAFKA, "bookings", "metrics-consumer")
    return {
        f"partition {number}": lag({number: low}, {number: high}, {number: committed[number]})
        for number, (low, high) in at.items()
    }


with killed(stack["metrics-consumer"]):
    sale = await crowd([BOOKINGS], event_id, [1] * 40)
    async with asyncio.timeout(30):
        while (behind := sum(lags().values())) < len(sale.bookings):
            await asyncio.sleep(0.1)
    pictures.bars(lags(), "messages")
began = time.perf_counter()
async with asyncio.timeout(60):
    while sum(lags().values()):
        await asyncio.sleep(0.1)
print(f"{behind} messages behind; none {time.perf_counter() - began:.1f} s after it is back")

# %% [markdown]
# It may be more than 40. What it had counted and not yet committed comes again, and section 5 takes care of that.
#
# A lag that falls is a backlog. A lag that grows is a consumer too slow, or dead. A lag that stands on *one* partition
# and is zero on the others is a bad message or a hot key.
#
# ### Kafka is away
# **Break it.** Kafka is killed while people book.

# %%
predict(
    "P3.10",
    "Kafka is dead for some seconds, and 60 people book meanwhile. What happens to their bookings?",
    a="they fail: the message cannot be sent",
    b="they are made, but their messages are lost",
    c="they are made, and counted later",
    choice="c",
)

# %% [markdown]
# The picture reads three tables while it happens: bookings made, rows that wait in the outbox, bookings counted.

# %% tags=["measured"]
from workbook.props.backlog import Backlog
from workbook.props.for_a_while import hung

away = hung if stack.kafka == "embedded" else killed  # killed, the embedded broker would come back empty
before = await figure(CONFIRMED_TOTAL)
async with Backlog(stack, event_id) as backlog:
    with away(stack["kafka"]):
        sale = await crowd([BOOKINGS], event_id, [1] * 60, over=5)
        waiting = backlog.waiting
    took = await until_counted(before + len(sale.bookings))
counted = await figure(CONFIRMED_TOTAL) - before
print(f"Kafka away: {len(sale.bookings)} of 60 booked, {waiting} rows in the outbox")
print(f"Kafka back: {counted} counted after {took:.1f} s")
answer = "a" if not sale.bookings else "c" if counted == len(sale.bookings) else "b"
outcome("P3.10", answer, f"{counted} of {len(sale.bookings)} counted")

# %% [markdown]
# The buyers noticed nothing. What was a call in section 1 is a row in a table now, and a table can wait.
#
# ### The consumer dies
# Kill the consumer while it counts, three times. Its place in Kafka may be older than its counts; section 5 takes care
# of that.

# %% tags=["measured"]
before = await figure(CONFIRMED_TOTAL)
buying = asyncio.create_task(crowd([BOOKINGS], event_id, [1] * 120, over=6))
for _ in range(3):
    await asyncio.sleep(1)
    stack["metrics-consumer"].kill()
    await asyncio.to_thread(stack["metrics-consumer"].start)
sale = await buying
await until_counted(before + len(sale.bookings))
counted = await figure(CONFIRMED_TOTAL) - before
print(f"{len(sale.bookings)} booked, {counted} counted; the consumer was killed three times")

# %% [markdown]
# ### A bad letter
# Put something unreadable on the real topic, and look where it went:

# %% tags=["measured"]
DEAD = 'consumer_messages_total{outcome="dead"}'
before = await figure(DEAD)
(bad,) = send(KAFKA, "bookings", [("nobody", "{half a JSON")])
async with asyncio.timeout(30):
    while await figure(DEAD) == before:
        await asyncio.sleep(0.05)
letter = next(each for each in read_all(KAFKA, "bookings.dead-letter") if each.key == "nobody")
print(letter.value)
for name, value in letter.headers.items():
    print(f"  {name}: {value}")

# %% [markdown]
# ### The fourth law
# "It was right each time I looked" becomes a law. **I4**: at rest each confirmation and each cancellation is counted
# exactly once, and the sums of the metrics are those of the bookings.

# %%
from counting_laws import LAWS, broken_laws


def laws() -> list[str]:
    """What breaks one of the four laws."""
    databases = (stack.settings_of(name) for name in ("booking-service", "event-service", "metrics-consumer"))
    return [f"{each.law}: {each.what}" for each in broken_laws(*databases)]


async def at_rest(seconds: float = 40) -> list[str]:
    """The laws, asked until they hold or time is up."""
    give_up_at = time.monotonic() + seconds
    while (broken := laws()) and time.monotonic() < give_up_at:
        await asyncio.sleep(0.2)
    return broken


print(*await at_rest() or [f"{', '.join(LAWS)}: no law is broken"], sep="\n")

# %% [markdown]
# Does the law see anything? Count one booking twice by hand, ask, and take it back:

# %% tags=["measured"]
metrics_db = stack.settings_of("metrics-consumer").conninfo()
ONE_MORE = "UPDATE event_bookings SET confirmed = confirmed + %s WHERE event_id = %s"
async with await psycopg.AsyncConnection.connect(**metrics_db, autocommit=True) as connection:
    await connection.execute(ONE_MORE, [1, event_id])
    print(*laws(), sep="\n")
    await connection.execute(ONE_MORE, [-1, event_id])
print(*laws() or ["no law is broken"], sep="\n")

# %% [markdown]
# `./learn check laws` asks the same of a running system.
#
# ## 11. Now you (4 min)
# Everything is built. Try to break it. Buyers come for a minute; the buttons kill, pause, resume and start real
# processes. Watch the picture: *waiting* may grow, *counted* may stand still. In the end all lines meet.

# %% tags=["measured"]
from workbook.props.crowd import Sale
from workbook.props.panel import Panel

PARTS = ("kafka", "metrics-consumer", "booking-service", "postgres")
panel = Panel(stack, *PARTS).show()


async def buyers(seconds: float) -> None:
    """Buyers, 15 each second, while you press buttons."""
    sale = Sale()
    try:
        async with Backlog(stack, event_id):
            await crowd([BOOKINGS], event_id, [1] * int(15 * seconds), over=seconds, sale=sale)
    finally:
        print(f"{sale.tickets} tickets sold; the others were told {dict(sale.told)}")


buying = asyncio.create_task(buyers(60 if panel.has_buttons else 3))

# %% [markdown]
# The buyers come in the background, so that the buttons work. Run the next cell when you have had enough: it sends the
# rest of them home, starts what you left dead, waits until the system is at rest, and asks for the laws.

# %% tags=["measured"]
if not panel.has_buttons:  # nobody can press a button here: press two of them in writing
    await panel.press("metrics-consumer", "kill")
    await asyncio.sleep(0.5)
    await panel.press("metrics-consumer", "start")
    await buying
buying.cancel()
for name in reversed(PARTS):
    stack[name].resume()
    stack[name].start()
print(*await at_rest() or ["at rest: no law is broken"], sep="\n")
panel.close()

# %% [markdown]
# ## 12. The whole phase, and your own (4 min)
# Ask from outside whether it works. The checklist of phase 3 books, reads the topic, and looks at the consumer's page.
# Here it runs against a fresh stack:

# %% tags=["measured"]
from rich.console import Console
from workbook.board import print_board
from workbook.checklist import run
from workbook.stack import LocalStack

with LocalStack(3) as fresh:
    parts = {name: fresh[name].address for name in ("booking-service", "event-service", "kafka")}
    parts["metrics-consumer"] = fresh.metrics_address("metrics-consumer")
    parts["booking-metrics"] = fresh.metrics_address("booking-service")
    target = ",".join(f"{name}={address}" for name, address in parts.items())
    seen_from_outside = await asyncio.to_thread(run, 3, target)
status = print_board(seen_from_outside, Console(force_jupyter=False, highlight=False, width=110))

# %% [markdown]
# A line with ○ was not run, and says what it needs. `./learn check 3` in a terminal also kills the consumer and pauses
# Kafka, and runs those lines too. The same board judges your own publisher and consumer, in any language:
#
# ```console
# $ ./learn check 3 --restart ./kill-and-start.sh \
#     --target booking-service=127.0.0.1:50051,kafka=127.0.0.1:9092,metrics-consumer=127.0.0.1:9464
# ```
#
# ### In five lines
#
# 1. A call needs an answer now. What somebody else may learn later belongs in a log.
# 2. Order is kept within a partition: give what must stay in order the same key.
# 3. Handle first, commit after. Then nothing is lost, and some of it comes twice.
# 4. Write the id of a message down in the transaction that counts it. Then twice is once.
# 5. Never write to two systems. Write the change and the note in one transaction, and let a relay do the telling.
#
# ### Recall
# Answer each before you open it.
#
# <details><summary>1. Four partitions, six members. Who works?</summary>
#
# Four. A partition is read by one member of a group at a time; two stand by.
# </details>
#
# <details><summary>2. Two messages must stay in order. What do they need?</summary>
#
# The same key, so that they go to the same partition; and a sender that has one of them under way at a time.
# </details>
#
# <details><summary>3. Commit first, then handle: what is that called, and what does a crash do?</summary>
#
# At most once. What was in hand is lost, and nobody notices.
# </details>
#
# <details><summary>4. Why must the message's id and the count be in one transaction?</summary>
#
# Between two of them a process can die: the id without the count loses a message, the count without the id counts
# twice.
# </details>
#
# <details><summary>5. Why is the offset no good for telling copies apart?</summary>
#
# A message that is sent again gets a new one.
# </details>
#
# <details><summary>6. "I save first, and send again if sending fails." What is wrong with it?</summary>
#
# A dead process sends nothing again. Nothing but the row in the outbox remembers.
# </details>
#
# <details><summary>7. Why does <code>id > last_seen</code> lose rows?</summary>
#
# Ids are given before commit. A lower one may be seen after a higher one.
# </details>
#
# <details><summary>8. PostgreSQL is away and every message fails. What goes to the dead letters?</summary>
#
# Nothing. It is nobody's fault; the consumer waits.
# </details>
#
# <details><summary>9. A new field joins a message. What must old and new readers do?</summary>
#
# Old ones pass over it. New ones take a default when it is missing.
# </details>
#
# <details><summary>10. The lag grows and grows. What do you look at first?</summary>
#
# Whether it is one partition (a bad message, a hot key) or all (a consumer that is dead, or too slow).
# </details>
#
# ### What this phase added

# %% tags=["measured"]
from workbook.phases import phase_folders

added = phase_folders()[3]
for part in ("messaging", "booking_outbox", "metrics_consumer", "counting_laws", "phase3", "checklist", "tests"):
    files = [*(added / part).rglob("*.py")]
    lines = sum(len(path.read_text().splitlines()) for path in files)
    print(f"{added.name + '/' + part:32}{len(files):4} files {lines:6,} lines")

# %% [markdown]
# No file of phases 1 and 2 was changed for it: the outbox was plugged into the port for what is written with a booking,
# and the relay runs beside the service. Phase 4 makes all of this visible: what takes how long, and where it is stuck.
#
# ### How well did you know?

# %% tags=["measured"]
from workbook.lesson import calibration

calibration()

# %% [markdown]
# ### Prove it all again
#
# "Done" is what passes now. This runs every check of the phase once more:

# %%
from workbook.lesson import prove

prove(3)
