# %% [markdown]
# # Lesson 2: Two services, one promise
#
# **Where we are.** The booking service sells tickets that nobody counts. This lesson adds the **event service**: it
# knows what takes place and how many tickets are left. From now on a booking needs two services, two databases, and the
# network between them. Each of them can be slow, or away, or die in the middle of its work.
#
# ![The system, and the phase that adds each part](../docs/system.svg)
#
# The promise we want to keep, whatever happens:
#
# > What is confirmed has its tickets. What is cancelled has given them back. Nothing is sold twice.
#
# It takes about two hours; section 6 begins the second half. After it you can
#
# - call one service from another, and tell a refusal from silence;
# - show with a number why "ask first, then book" oversells, and why a lock does not help;
# - make a call that may safely be repeated, and one that may safely arrive too late;
# - keep one hung service from stopping the others, and retries from making it worse;
# - kill a service between two steps and have everything put right, without anybody looking at it;
# - write the promise down as queries that find every break of it.

# %%
import asyncio
import time
import uuid
from typing import Any

import grpc

from workbook import pictures
from workbook.lesson import check, hint, local_stack, outcome, predict, solution
from workbook.props.for_a_while import copy_of, dead, hung

# %% [markdown]
# ## 1. A second service (9 min)
# The stack of this lesson is the system as of phase 2. Three of its settings are shorter than usual, so that you wait
# less: section 8 explains the first two.

# %%
stack = local_stack(2, PENDING_LIMIT="3", RECOVERY_INTERVAL="0.2", WATCH_INTERVAL="0.05")
EVENTS, BOOKINGS = stack["event-service"].address, stack["booking-service"].address
print("running:", ", ".join(stack.parts))

# %% [markdown]
# To call a service you need two things. A **channel** is a connection to an address. A **stub** is a Python object with
# one method for each RPC; the compiler made it from the `.proto`. Put an event on sale and look at it:

# %%
from event_service.proto import event_pb2 as ev
from event_service.proto import event_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp

starts_at = Timestamp()
starts_at.FromJsonString("2099-12-31T20:00:00Z")
jazz = ev.CreateEventRequest(
    name="Jazz night",
    kind="concert",
    starts_at=starts_at,
    time_zone="Europe/Istanbul",
    venue="Babylon",
    capacity=10,
)
async with grpc.aio.insecure_channel(EVENTS) as channel:
    events = event_pb2_grpc.EventServiceStub(channel)
    event = (await events.CreateEvent(jazz, timeout=5)).event
print(f"{event.name}, {event.venue}: {event.available_tickets} of {event.capacity} tickets left")

# %%
predict(
    "P2.1",
    "The event service is in another city: a message takes 10 ms to get there. Somebody opens a channel for each call and "
    "closes it again. What does that do to the time of a call, compared with one channel for all?",
    a="nothing one could measure: the calls are the same",
    b="it takes clearly longer, at least 1.3 times",
    c="it is quicker: no call waits for another",
    choice="b",
)

# %% tags=["measured"]
from workbook.props.line import Line


async def one_channel_each(address: str, calls: int) -> None:
    for _ in range(calls):
        async with grpc.aio.insecure_channel(address) as channel:
            await event_pb2_grpc.EventServiceStub(channel).GetEvent(ev.GetEventRequest(event_id=event.id), timeout=5)


async def one_for_all(address: str, calls: int) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        events = event_pb2_grpc.EventServiceStub(channel)
        for _ in range(calls):
            await events.GetEvent(ev.GetEventRequest(event_id=event.id), timeout=5)


async def milliseconds(way: Any, address: str, calls: int = 40) -> float:
    began = time.perf_counter()
    await way(address, calls)
    return (time.perf_counter() - began) / calls * 1000


with Line(EVENTS, delay=0.01) as far:
    times = {
        "a channel for each call": await milliseconds(one_channel_each, far.address),
        "one channel for all": await milliseconds(one_for_all, far.address),
    }
pictures.bars(times, "ms")
longer = times["a channel for each call"] / times["one channel for all"]
outcome("P2.1", "b" if longer >= 1.3 else "c" if longer < 0.9 else "a", f"{longer:.1f} times as long")

# %% [markdown]
# The call itself takes one message there and one back. A new connection has to be greeted first; with TLS there would
# be one more round trip. (A `Line` is a small relay in this kernel that makes everything late. You will meet it again.)
# So the rule is: **one channel to each service, opened once, kept for life**. It carries any number of calls at a time.
#
# Now let the booking service do the asking. The address of the event service stands in its settings; you call only the
# booking service.

# %%
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc

async with grpc.aio.insecure_channel(BOOKINGS) as to_bookings, grpc.aio.insecure_channel(EVENTS) as to_events:
    bookings = booking_pb2_grpc.BookingServiceStub(to_bookings)
    events = event_pb2_grpc.EventServiceStub(to_events)
    wish = pb.CreateBookingRequest(user_id="ada", event_id=event.id, ticket_count=3)
    booking = (await bookings.CreateBooking(wish, timeout=5)).booking
    left = (await events.GetEvent(ev.GetEventRequest(event_id=event.id), timeout=5)).event.available_tickets
    print(f"booked 3 tickets: {booking.status}, {left} are left")
    await bookings.CancelBooking(pb.CancelBookingRequest(booking_id=booking.id), timeout=5)
    left = (await events.GetEvent(ev.GetEventRequest(event_id=event.id), timeout=5)).event.available_tickets
    print(f"cancelled: {left} are left")

# %% [markdown]
# ### A refusal is an answer, silence is not
# A call to another service can end in three ways: it is done, it is **refused**, or **nobody knows**. Make the event
# service refuse, then take it away. In the block `with dead(…)` a part of the system is killed; at its end it is
# started again.

# %% tags=["measured"]
async with grpc.aio.insecure_channel(EVENTS) as channel:
    events = event_pb2_grpc.EventServiceStub(channel)

    async def ask(**wish: Any) -> None:
        request = ev.ReserveTicketsRequest(
            **{"booking_id": str(uuid.uuid4()), "event_id": event.id, "ticket_count": 1, **wish}
        )
        try:
            await events.ReserveTickets(request, timeout=1)
        except grpc.aio.AioRpcError as error:
            kept.append(error)
            print(f"{error.code().name:20}{error.details().partition(';')[0]}")

    kept: list[grpc.aio.AioRpcError] = []
    jazz.capacity = 3
    small = (await events.CreateEvent(jazz, timeout=5)).event
    await ask(event_id=small.id, ticket_count=4)
    await ask(event_id=str(uuid.UUID(int=7)))
    with dead(stack["event-service"]):
        await ask()

# %% [markdown]
# The first call was refused: the small hall has three seats and four were wanted. The second too: no such event. After
# these two answers we *know* that no ticket was taken. The third got no answer. This time the text says that there
# was no connection. But the code is also `UNAVAILABLE` when the connection breaks after the request has arrived
# (section 5 does that): by the code alone, **nobody can say** whether a ticket is gone.
#
# How does a program tell them apart? The status code is coarse: `FAILED_PRECONDITION` is also "sales closed". The text
# is for people and may change tomorrow. So each refusal of this system carries a **reason** for programs, in a message
# called `google.rpc.ErrorInfo`:

# %%
from booking_saga.inventory import reason_of

for error in kept:
    print(f"{error.code().name:20}{reason_of(error) or 'no reason: nobody refused'}")

# %% [markdown]
# **Your task 2.1, errors for people.** The booking service must not pass on whatever comes. Write `refusal`: it gets
# the error of a call to the event service and returns the exception that our own callers shall see. A refusal keeps the
# text of the event service.
#
# - `EVENT_NOT_FOUND`, and `INVALID_FIELD` (an id that no event can have): `NoSuchEvent`
# - `SOLD_OUT`, `SALES_CLOSED`, `ALREADY_RELEASED`: `SoldOut`, `SalesClosed`, `CancelledMeanwhile`
# - everything else: `EventServiceAway` with a sentence of yours, because nobody knows whether the tickets were taken.
#
# `hint("2.1")` helps.

# %%
from booking_saga.inventory import CancelledMeanwhile, EventServiceAway, NoSuchEvent, SalesClosed, SoldOut
from booking_service.inventory import TicketsRefused
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status.rpc_status import from_call

import grpc


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in the error's google.rpc.ErrorInfo, "" when it has none."""
    status = from_call(error)
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


def refusal(error: grpc.aio.AioRpcError) -> TicketsRefused | EventServiceAway:
    """Why the tickets cannot be had, with the server's text; EventServiceAway when nobody knows how it ended."""
    ### BEGIN SOLUTION 2.1
    kinds = {
        "EVENT_NOT_FOUND": NoSuchEvent,
        "INVALID_FIELD": NoSuchEvent,  # an event id that no event can have
        "SOLD_OUT": SoldOut,
        "SALES_CLOSED": SalesClosed,
        "ALREADY_RELEASED": CancelledMeanwhile,
    }
    kind = kinds.get(reason_of(error))
    if kind is None:
        return EventServiceAway("the event service does not answer; try again with the same key")
    return kind(error.details())
    ### END SOLUTION


# %%
check("2.1")

# %% [markdown]
# **Why not pass the status on as it is?** `NOT_FOUND` of the event service would reach the buyer as "your booking was
# not found". A status belongs to the call it answers.
#
# ## 2. Where is the other one? (6 min)
# `EVENT_ADDRESS=127.0.0.1:50052` in the settings of the booking service is the simplest **service discovery** there is:
# somebody wrote the address down. It fails when the service moves, and it knows of one copy only. So in production the
# setting holds a **name**, and something else knows which addresses are behind it: DNS in Docker and Kubernetes.
#
# A gRPC channel can deal with a name that has several addresses. Start a second copy of the event service, and give a
# channel both addresses. A `Line` in front of each copy counts the calls that pass.

# %%
predict(
    "P2.2",
    "One channel knows two addresses of the event service. Out of 100 calls, how many go to the second?",
    a="none",
    b="50",
    c="it depends on which is quicker",
    choice="a",
)

# %%
second = stack.replica("event-service")


async def calls_at(options: list[tuple[str, Any]]) -> list[int]:
    """How many of 100 calls go to each of the two copies."""
    with Line(EVENTS) as one, Line(second.address) as two:
        async with grpc.aio.insecure_channel(f"ipv4:{one.address},{two.address}", options) as channel:
            events, ask = event_pb2_grpc.EventServiceStub(channel), ev.GetEventRequest(event_id=event.id)
            patience = 10 if options else 1  # seconds to connect to both addresses, if the channel wants to
            began = time.monotonic()
            while not (one.calls and two.calls) and time.monotonic() - began < patience:
                await events.GetEvent(ask, timeout=5)
            one.calls = two.calls = 0
            for _ in range(100):
                await events.GetEvent(ask, timeout=5)
            return [one.calls, two.calls]


plain = await calls_at([])
fair = await calls_at([("grpc.lb_policy_name", "round_robin")])
print("without a setting:", plain)
print("with round_robin: ", fair)
outcome("P2.2", "a" if plain[1] == 0 else "b" if plain[1] == 50 else "c", f"{plain[1]}; with round_robin {fair[1]}")

# %% [markdown]
# gRPC's default, `pick_first`, takes the first address that answers and stays there. Scale the event service to ten
# copies, and nine of them are idle. The remedy is one option; `chassis/channel.py` sets it for every channel of this
# system:
#
# ```python file=phase1-grpc/chassis/channel.py
#         ("grpc.lb_policy_name", "round_robin"),  # all addresses of a DNS name get calls
# ```
#
# **Break it.** Kill one of the two copies with SIGKILL between two calls. What does the channel do?

# %% tags=["measured"]
second.start()  # does nothing while it runs
options = [("grpc.lb_policy_name", "round_robin")]
async with grpc.aio.insecure_channel(f"ipv4:{EVENTS},{second.address}", options) as channel:
    events = event_pb2_grpc.EventServiceStub(channel)
    answered = 0
    for number in range(100):
        if number == 50:
            await asyncio.to_thread(second.kill)
            await asyncio.sleep(0.2)  # a call that was on its way at this moment would be lost: nobody knows, again
        await events.GetEvent(ev.GetEventRequest(event_id=event.id), timeout=5)
        answered += 1
print(answered, "of 100 calls answered")

# %% [markdown]
# The channel noticed the broken connection and left that copy out. It tries to reach it again by itself, with growing
# pauses.
#
# ## 3. The roadmap's five steps (13 min)
# This is how most people would write a booking over two services, and how the roadmap puts it:
#
# 1. A user wants to book.
# 2. Booking service → event service: does the event exist, are there tickets?
# 3. The event service answers.
# 4. The booking service makes the booking.
# 5. Booking service → event service: lower the capacity.
#
# Word for word, over the real event service:
#
# ```python file=workbook/props/literal_service.py
#             question = event_pb2.GetEventRequest(event_id=request.event_id)
#             asked = await self._events.GetEvent(question, timeout=10)
#             if asked.event.available_tickets < request.ticket_count:
#                 await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "sold out")
#             made = await super().CreateBooking(request, context)
#             await self._lower_capacity(request)
#             return made
# ```
#
# It passes every test that makes one booking after the other.

# %%
predict(
    "P2.3",
    "10 tickets, 50 buyers who press the button at the same moment, one ticket each. How many bookings are confirmed? "
    "The sale is held five times; the middle one counts.",
    a="10",
    b="11 or 12: now and then two collide",
    c="13 or more",
    choice="c",
)

# %% tags=["measured"]
from workbook.props.crowd import crowd, on_sale, tickets_left
from workbook.props.literal import literal_services

sold = []
with literal_services(EVENTS, stack.folder) as addresses:
    for _ in range(5):
        event_id = await on_sale(EVENTS, capacity=10)
        sale = await crowd(addresses, event_id, wishes=[1] * 50)
        sold.append(sale.tickets)
        print(
            f"sold: {sale.tickets} of 10. The event service says: {await tickets_left(EVENTS, event_id)} tickets left"
        )
middle = sorted(sold)[2]
outcome("P2.3", "a" if middle <= 10 else "b" if middle <= 12 else "c", f"{middle} confirmed bookings for 10 seats")

# %% [markdown]
# The event service itself did nothing wrong: it never went below zero, and refused in step 5. But by then the booking
# was made, and its owner was told so. Between step 2 and step 5 the answer of step 3 grew old. It is the
# **check-then-act** of lesson 1 again, this time with a network between check and act, which makes the gap wider.
#
# ### A lock?
# The first remedy that comes to mind is a lock: one booking at a time, from step 2 to step 5. `literal_service --lock`
# does that with an `asyncio.Lock`. Sell ten events of 10 tickets to 20 buyers each, in three ways.

# %%
predict(
    "P2.4",
    "With the lock, and two copies of the booking service (as in production): is anything oversold in these ten sales?",
    a="no: the lock makes every booking wait for its turn",
    b="yes, a few",
    c="yes, as much as without the lock",
    choice="b",
)


# %% tags=["measured"]
async def ten_sales(copies: int, lock: bool) -> tuple[int, float]:
    """Tickets oversold in ten sales, and answers a second."""
    oversold, rates = 0, []
    with literal_services(EVENTS, stack.folder, copies=copies, lock=lock) as addresses:
        for _ in range(10):
            event_id = await on_sale(EVENTS, capacity=10)
            sale = await crowd(addresses, event_id, wishes=[1] * 20)
            oversold, rates = oversold + max(0, sale.tickets - 10), [*rates, sale.rate]
    return oversold, sorted(rates)[5]


oversold = {}
for said, copies, lock in (("no lock", 1, False), ("lock, one copy", 1, True), ("lock, two copies", 2, True)):
    oversold[said], rate = await ten_sales(copies, lock)
    print(f"{said:18}{oversold[said]:4} of 100 tickets oversold {rate:8,.0f} answers/s")
both = oversold["lock, two copies"]
outcome("P2.4", "a" if not both else "c" if both >= oversold["no lock"] else "b", f"{both} tickets sold twice")

# %% [markdown]
# A lock in Python locks one process. Two copies have two locks, and between them the old gap is open: the seat that
# both saw as the last one is sold twice. One copy with the lock is right, and then every buyer of *every* event waits
# for the slowest call of everybody else. It also forgets all of it when it dies between step 4 and step 5.
#
# **Why not a lock for all copies, in Redis or in PostgreSQL?** It must end by itself when its holder dies, so it has a
# time limit; and a holder that was merely slow comes back after that limit and goes on, without knowing. You are back
# at check-then-act, only rarer.
#
# ## 4. One conditional UPDATE (9 min)
# Only one place sees all buyers: the row of the event in PostgreSQL. So the decision has to be made there, by the
# statement that writes. You know the tool from lesson 1: an UPDATE with a condition.
#
# For your experiments there is a copy of the event service's tables, without their safety rules: a wrong statement
# shall show its number, not an error.

# %%
from contextlib import asynccontextmanager

import psycopg
from psycopg_pool import AsyncConnectionPool
from workbook.postgres import connect

with connect(stack["postgres"].address, "event_db") as database:
    database.execute("DROP SCHEMA IF EXISTS lesson CASCADE")
    database.execute("CREATE SCHEMA lesson")
    for table in ("events", "reservations"):
        database.execute(f"CREATE TABLE lesson.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING INDEXES)")

if earlier := globals().get("pool"):  # this cell was run before
    await earlier.close()
where = {**stack.settings_of("event-service").conninfo(), "options": "-c search_path=lesson"}
pool = AsyncConnectionPool(kwargs={**where, "autocommit": True}, min_size=16, max_size=16, open=False)
await pool.open(wait=True)


async def event_of(capacity: int) -> uuid.UUID:
    """A new event with that many tickets, in the lesson's copy of the tables."""
    event_id = uuid.uuid4()
    columns = "id, name, kind, starts_at, time_zone, venue, capacity, available"
    row = f"INSERT INTO events ({columns}) VALUES (%s, 'Jazz', 'concert', '2099-12-31', 'UTC', 'Babylon', %s, %s)"
    async with pool.connection() as connection:
        await connection.execute(row, [event_id, capacity, capacity])
    return event_id


async def available(event_id: uuid.UUID) -> int:
    async with pool.connection() as connection:
        found = await connection.execute("SELECT available FROM events WHERE id = %s", [event_id])
        return (await found.fetchone())[0]


# %% [markdown]
# **Your task 2.2, one conditional UPDATE.** Write `take`: with one statement it lowers `available` of the event by
# `count`, if that many are there, and returns how many are left. It returns None when there are not enough, or no such
# event. `RETURNING` gives the new value of a column. `hint("2.2")` helps.

# %%
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection


async def take(connection: AsyncConnection[Any], event_id: UUID, count: int) -> int | None:
    """Takes `count` tickets and returns how many are left; None when there are not enough, or no such event."""
    ### BEGIN SOLUTION 2.2
    statement = """
        UPDATE events SET available = available - %(count)s
        WHERE id = %(event)s AND available >= %(count)s
        RETURNING available
    """
    taken = await connection.execute(statement, {"event": event_id, "count": count})
    row = await taken.fetchone()
    return row[0] if row else None
    ### END SOLUTION


# %%
check("2.2")

# %% [markdown]
# **The same number again**, with your `take`: 10 tickets, 50 buyers, 16 connections.


# %% tags=["uses-answer"]
async def buy(event_id: uuid.UUID, count: int) -> bool:
    async with pool.connection() as connection:
        return await take(connection, event_id, count) is not None


event_id = await event_of(10)
got = await asyncio.gather(*(buy(event_id, 1) for _ in range(50)))
print(f"sold: {sum(got)} of 10, {await available(event_id)} left")

# %% [markdown]
# The second UPDATE waits until the first has committed, looks at the condition again on the row as it is then, and
# takes nothing if it no longer holds. Behind it stands a rule of the table, `CHECK (available BETWEEN 0 AND capacity)`:
# if somebody forgets the condition one day, the statement fails instead of selling air.
#
# The real event service works like that. Watch it: 100 buyers come over three seconds and want one to three tickets
# each, and 150 tickets are there. The picture grows while they buy.

# %% tags=["measured"]
from workbook.props.seats import SeatLedger

event_id = await on_sale(EVENTS, capacity=150)
wishes = [1 + number % 3 for number in range(100)]
async with SeatLedger(EVENTS, event_id) as seats:
    sale = await crowd([BOOKINGS], event_id, wishes, over=3, sold=seats.sold)
print(
    f"{sum(wishes)} tickets wanted, {sale.tickets} sold, {await tickets_left(EVENTS, event_id)} left; {dict(sale.told)}"
)

# %% [markdown]
# Down to zero, never below, and the two lines mirror each other.
#
# ## 5. The answer that got lost (16 min)
# Now it does not oversell. Does it sell each ticket *once*? **The pain:** the network. A request arrives, the tickets
# are taken, and the answer gets lost on its way back. The client cannot tell that from a request that never arrived. So
# it tries again; gRPC even does that by itself when told to.
#
# Here is a small event service in this kernel, with your `take` behind `ReserveTickets`. Its client is set to retry. A
# `Line` between them loses every tenth answer, for real: it closes the connection when the answer comes.

# %%
import json

from booking_saga.inventory import SERVICE_CONFIG as RETRIES


@asynccontextmanager
async def served(servicer: Any) -> Any:
    """The address of an event service in this kernel, for as long as the block lasts."""
    server = grpc.aio.server()
    event_pb2_grpc.add_EventServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(grace=0.2)


class TakesTickets(event_pb2_grpc.EventServiceServicer):
    """ReserveTickets without any memory of who asked."""

    async def ReserveTickets(self, request: ev.ReserveTicketsRequest, context: Any) -> ev.ReserveTicketsResponse:
        async with pool.connection() as connection:
            left = await take(connection, uuid.UUID(request.event_id), request.ticket_count)
        return ev.ReserveTicketsResponse(available_tickets=left or 0)


async def hundred_bookings(servicer: Any) -> int:
    """How many tickets are gone after 100 bookings of one ticket, when every tenth answer gets lost."""
    event_id = await event_of(200)
    async with served(servicer) as address:
        with Line(address) as line:
            async with grpc.aio.insecure_channel(line.address, [("grpc.service_config", RETRIES)]) as channel:
                events = event_pb2_grpc.EventServiceStub(channel)
                for number in range(100):
                    if number % 10 == 9:
                        line.lose_next_answer()
                    request = ev.ReserveTicketsRequest(
                        booking_id=str(uuid.uuid4()), event_id=str(event_id), ticket_count=1
                    )
                    await events.ReserveTickets(request, timeout=5)
    return 200 - await available(event_id)


# %%
predict(
    "P2.5",
    "100 bookings of one ticket; 10 answers get lost, and the client retries. How many tickets are gone?",
    a="90: what was lost was not sold",
    b="100",
    c="110",
    choice="c",
)

# %% tags=["uses-answer"]
await buy(await event_of(1), 1)  # once by hand: should `take` not be written yet, it says so here
gone = await hundred_bookings(TakesTickets())
outcome("P2.5", {90: "a", 100: "b"}.get(gone, "c"), f"{gone} tickets gone for 100 bookings")

# %% [markdown]
# Ten tickets belong to nobody. No seat was oversold, no error was shown, and ten seats stay empty. The retry was right:
# without it ten buyers would have got an error and a ticket nobody knows of.
#
# A call that has the same effect once and many times is **idempotent**. "Take one away" is not; "booking 4fd5 holds one
# ticket" is. So the event service has to remember *who* asked. Everything needed is there: the booking service makes
# the booking's id **before** it calls. The event service keeps one row for each booking, and the primary key makes a
# second one impossible.
#
# **Your task 2.3, once for each booking.** Write `reserve` in **one transaction**:
#
# - make the row in `reservations` for this booking, if there is none; the statement tells whether you made it;
# - if you made it, take the tickets (`TAKE_TICKETS` is given). If there are not enough, undo everything and return
#   False: `raise psycopg.Rollback()` leaves a `connection.transaction()` block and undoes it;
# - if it was there already, nothing is taken: True when it is live and the same wish, False when its tickets were given
#   back (`released_at` is set), ValueError when it holds another count or event.
#
# `hint("2.3")` helps.

# %%
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

TAKE_TICKETS = """
    UPDATE events SET available = available - %(count)s
    WHERE id = %(event)s AND available >= %(count)s
"""


async def reserve(connection: AsyncConnection[Any], booking_id: UUID, event_id: UUID, count: int) -> bool:
    """True when the booking holds its tickets, now or since an earlier call; False when they cannot be had.

    Raises ValueError when the booking holds another count, or tickets of another event.
    """
    ### BEGIN SOLUTION 2.3
    insert = """
        INSERT INTO reservations (booking_id, event_id, ticket_count) VALUES (%s, %s, %s)
        ON CONFLICT DO NOTHING
    """
    look = "SELECT event_id, ticket_count, released_at FROM reservations WHERE booking_id = %s"
    async with connection.transaction():
        made = await connection.execute(insert, [booking_id, event_id, count])
        if made.rowcount == 0:  # somebody was first: an earlier call of this booking, or its release
            held_event, held_count, released_at = await (await connection.execute(look, [booking_id])).fetchone()
            if released_at is not None:
                return False
            if (held_event, held_count) != (event_id, count):
                raise ValueError(f"booking {booking_id} holds {held_count} tickets of event {held_event}")
            return True
        taken = await connection.execute(TAKE_TICKETS, {"event": event_id, "count": count})
        if taken.rowcount == 1:
            return True
        raise psycopg.Rollback  # undoes the INSERT, and ends here
    return False
    ### END SOLUTION


# %%
check("2.3")

# %% [markdown]
# **The same number again**, with your `reserve`:


# %% tags=["uses-answer"]
class Reserves(event_pb2_grpc.EventServiceServicer):
    """ReserveTickets that knows who asked."""

    async def ReserveTickets(self, request: ev.ReserveTicketsRequest, context: Any) -> ev.ReserveTicketsResponse:
        async with pool.connection() as connection:
            await reserve(connection, uuid.UUID(request.booking_id), uuid.UUID(request.event_id), request.ticket_count)
        return ev.ReserveTicketsResponse()


async with pool.connection() as connection:  # once by hand, as above
    await reserve(connection, uuid.uuid4(), await event_of(1), 1)
print(await hundred_bookings(Reserves()), "tickets gone for 100 bookings")

# %% [markdown]
# Ten answers were lost, ten calls were made twice, and a hundred tickets are gone for a hundred bookings. The event
# service does the same in one statement, which is one trip to the database instead of four, and holds the event's row
# for less time:
#
# ```python file=phase2-event-service/event_service/reservations.py
# RESERVE = """
# WITH taken AS (
#     UPDATE events SET available = available - %(count)s
#     WHERE id = %(event)s AND available >= %(count)s AND starts_at > now()
#       AND NOT EXISTS (SELECT FROM reservations WHERE booking_id = %(booking)s)
#     RETURNING id, available
# ), made AS (
#     INSERT INTO reservations (booking_id, event_id, ticket_count) SELECT %(booking)s, id, %(count)s FROM taken
# )
# SELECT available FROM taken
# """
# ```
#
# Only when it gives no row back does the service look what stood in the way: the same wish, another one, a release, or
# no tickets.
#
# ### The release that overtakes
# Giving back has the same two problems, and one more. A buyer books, grows impatient and cancels. The reserve is still
# on its way, in some queue; the release takes another way and arrives first.

# %%
predict(
    "P2.6",
    "20 bookings of one ticket: each release arrives before its reserve. The release finds nothing to give back and does "
    "nothing. How many tickets are lost in the end?",
    a="none: nothing was reserved, nothing had to be given back",
    b="20",
    c="it depends on the retries",
    choice="b",
)


# %% tags=["uses-answer"]
async def release_if_there(connection: psycopg.AsyncConnection[Any], booking_id: uuid.UUID) -> bool:
    """Gives back what is reserved; does nothing if there is nothing."""
    async with connection.transaction():
        change = "UPDATE reservations SET released_at = now() WHERE booking_id = %s AND released_at IS NULL"
        freed = await (await connection.execute(f"{change} RETURNING event_id, ticket_count", [booking_id])).fetchone()
        if freed is not None:
            await connection.execute("UPDATE events SET available = available + %s WHERE id = %s", [freed[1], freed[0]])
        return freed is not None


async def overtaken(release: Any) -> int:
    """How many of 20 tickets nobody can ever give back, when each release comes before its reserve."""
    event_id = await event_of(20)
    async with pool.connection() as connection:
        for booking_id in [uuid.uuid4() for _ in range(20)]:
            await release(connection, booking_id)
            await reserve(connection, booking_id, event_id, 1)
    return 20 - await available(event_id)


lost = await overtaken(release_if_there)
outcome("P2.6", "a" if lost == 0 else "b" if lost == 20 else "c", f"{lost} tickets held by cancelled bookings")

# %% [markdown]
# Each of these bookings is cancelled, and holds a ticket for ever. The release must leave something behind that the
# late reserve finds: a row that says "this booking is over". It is called a **tombstone**.
#
# **Your task 2.4, given back exactly once.** Write `release` so that
#
# - it gives the tickets back once, however often and by however many it is called; True only from the call that did;
# - when nothing was reserved yet, it leaves a tombstone: a row with the booking's id and `released_at`, without event
#   and count, and with `reserved_at` NULL, which would otherwise be the time of the insert;
# - the row stays for ever. A late retry of `reserve` must still find it.
#
# `hint("2.4")` helps.

# %%
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection


async def release(connection: AsyncConnection[Any], booking_id: UUID) -> bool:
    """Gives the booking's tickets back, once; True when this call did it. Before the reserve it leaves a tombstone."""
    ### BEGIN SOLUTION 2.4
    over = """
        INSERT INTO reservations (booking_id, reserved_at, released_at) VALUES (%s, NULL, now())
        ON CONFLICT (booking_id) DO UPDATE SET released_at = now() WHERE reservations.released_at IS NULL
        RETURNING event_id, ticket_count
    """
    give_back = "UPDATE events SET available = available + %s WHERE id = %s"
    async with connection.transaction():
        row = await (await connection.execute(over, [booking_id])).fetchone()
        if row is None or row[0] is None:  # it was over before, or a tombstone was made
            return False
        event_id, count = row
        await connection.execute(give_back, [count, event_id])
    return True
    ### END SOLUTION


# %%
check("2.4")

# %% [markdown]
# **The same number again**, with your `release`:

# %% tags=["uses-answer"]
print(await overtaken(release), "tickets held by cancelled bookings")

# %% [markdown]
# **Why not keep the order instead?** It would take one queue for everything about a booking, through every copy and
# every retry. The tombstone needs no order. Whatever comes first, the end is the same.
#
# ### The whole flow
# Now the five steps can be put right. Compare them with section 3:
#
# 1. The booking service writes the booking as PENDING, and commits. Its id exists before anything else happens.
# 2. `ReserveTickets(booking_id)`: the event service takes the tickets and notes for whom, or refuses.
# 3. CONFIRMED, only if it is still PENDING; or CANCELLED with the reason of the refusal.
#
# Such a chain of steps over several databases, each of them committed by itself, each with a way back, is called a
# **saga**. There is no transaction around it, and no lock. Steps 2 and 3 are one function of the booking service,
# `complete(booking)`. It may be called again at any point: a reserve that was made before is a no-op. What is left to
# see is what happens when something stops between two steps.
#
# **Half-time.** One question, without looking up: `take` was correct, and 110 tickets were gone for 100 bookings. What
# did it not know? (The answer is the first column of `reservations`.)

# %% [markdown]
# ## 6. One hung service stops everything (11 min)
# A service that is dead is easy: its connections break, and its callers know. The worst kind is one that **hangs**. It
# is there, it keeps its connections open, and it says nothing. `with hung(…)` does that to a real process: it is
# paused, and goes on at the end.
#
# **The pain.** Somebody found deadlines a nuisance and set them to an hour. A second copy of the booking service runs
# with these settings; it takes at most 50 calls at a time, so that you need not send a thousand, the usual limit. A
# third copy waits half a second.

# %%
patient = stack.replica("booking-service", EVENT_DEADLINE="3600", DEADLINE_LIMIT="3600", GRPC_MAX_CONCURRENT_CALLS="50")
careful = stack.replica("booking-service", EVENT_DEADLINE="0.5", GRPC_MAX_CONCURRENT_CALLS="50")
event_id = await on_sale(EVENTS, capacity=100_000)
sale = await crowd([patient.address, careful.address], event_id, [1] * 20)
print(f"both copies work: {len(sale.bookings)} bookings")
some_booking = next(iter(sale.bookings))

# %%
predict(
    "P2.7",
    "The event service hangs; 60 buyers try to book at the copy without deadlines. Meanwhile somebody only reads a booking, "
    "which needs nothing from the event service. What do they get?",
    a="their booking: reading and booking have nothing to do with each other",
    b="their booking, but late",
    c="no booking, only an error",
    choice="c",
)


# %% tags=["measured"]
from workbook.props.crowd import Sale


async def read_one(address: str) -> str:
    """What somebody gets who only reads a booking, and when."""
    began = time.perf_counter()
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            ask = pb.GetBookingRequest(booking_id=some_booking)
            await booking_pb2_grpc.BookingServiceStub(channel).GetBooking(ask, timeout=1)
            said = "the booking"
        except grpc.aio.AioRpcError as error:
            said = error.code().name
    return f"{said} after {time.perf_counter() - began:.2f} s"


async def while_it_hangs(address: str) -> list[str]:
    """What readers get at three moments after 60 buyers came to a service whose event service hangs."""
    sale, answers = Sale(), []
    with hung(stack["event-service"]):
        buyers = asyncio.create_task(crowd([address], event_id, [1] * 60, patience=4, sale=sale))
        while sale.told.total() < 10 and not buyers.done():  # 50 wait inside, 10 are turned away
            await asyncio.sleep(0.01)
        for wait, moment in ((0, "at once"), (1, "1 s later"), (1, "2 s later")):
            await asyncio.sleep(wait)
            answers.append(f"{moment}: {await read_one(address)}")
        await buyers
    print(f"  buyers were told: {dict(sale.told)}")
    return answers


for said, part in (("without deadlines", patient), ("half a second", careful)):
    print(f"{said}:")
    seen = await while_it_hangs(part.address)
    print(*(f"  a reader got, {answer}" for answer in seen), sep="\n")
    if part is patient:
        outcome("P2.7", "c" if not any("the booking" in answer for answer in seen) else "b", seen[-1])

# %% [markdown]
# Fifty callers waited for somebody who said nothing, and that was all the room there was. One service hung, and another
# one, quite healthy, was gone for everybody. The next one that calls *it* would be gone a moment later. That is a
# **cascade**.
#
# With half a second of patience, the room is free again half a second later. Readers are served, and buyers get a clear
# answer: status `UNAVAILABLE`, reason `EVENT_SERVICE_UNAVAILABLE`, try again with the same key.
#
# ### Whose deadline?
# The buyer waits 5 seconds, the booking service gives the event service 2. And when the buyer's 5 seconds are nearly
# over? Then a call of 2 seconds works for somebody who has left. Python's gRPC does not pass deadlines on by itself.
# `chassis/deadlines.py` does. Ask the event service what it was told: this one notes how much time each call has left.


# %% tags=["measured"]
class NotesTheTime(event_pb2_grpc.EventServiceServicer):
    """Notes how many seconds each call had left when it came, and refuses it."""

    def __init__(self) -> None:
        self.left: list[float] = []

    async def ReserveTickets(self, request: ev.ReserveTicketsRequest, context: Any) -> ev.ReserveTicketsResponse:
        self.left.append(context.time_remaining())
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "this one only looks at its watch")


notes = NotesTheTime()
async with served(notes) as address:
    with copy_of(stack, "booking-service", EVENT_ADDRESS=address, EVENT_DEADLINE="2") as asking:
        for patience in (5, 0.8):
            await crowd([asking.address], str(uuid.uuid4()), [1], patience=patience)
for patience, left in zip((5, 0.8), notes.left, strict=False):
    print(f"the buyer waits {patience} s: the event service was told {left:.2f} s")

# %% [markdown]
# The first buyer has more time than the booking service gives, so its own 2 seconds hold. The second has less, and that
# is what the event service hears, minus what was used up on the way.
#
# **Your task 2.5, what is left of the deadline.** Write `call_within`: it makes a call to another service with the time
# that is left until `ends_at`, and at most `limit` seconds. When nothing is left it does not call at all and raises
# TimeoutError. `ends_at` is a moment on the loop's clock, `asyncio.get_running_loop().time()`. `hint("2.5")` helps.

# %%
import asyncio
from typing import Any


async def call_within(call: Any, request: Any, ends_at: float, limit: float) -> Any:
    """The call's answer, wanted before the loop's clock shows `ends_at`, and within `limit` seconds.

    Raises TimeoutError when nothing is left; errors of the call pass through.
    """
    ### BEGIN SOLUTION 2.5
    left = ends_at - asyncio.get_running_loop().time()
    if left <= 0:
        raise TimeoutError("the deadline is over: nobody waits for this answer")
    return await call(request, timeout=min(left, limit))
    ### END SOLUTION


# %%
check("2.5")

# %% [markdown]
# **Why a moment and not a duration?** A duration has to be shortened at every step, and somebody forgets. A moment
# stays what it is, whoever asks when. On the wire it is a duration all the same: two machines do not share a clock.
#
# ## 7. Retries: medicine and poison (12 min)
# After `UNAVAILABLE` it makes sense to try again: the copy that died is replaced, the connection comes back. In gRPC
# that is no code but a setting of the channel, the **service config**. It says which methods, after which codes, how
# often, with which pauses.
#
# Every layer of a system can have one. Suppose all do: the phone app, the gateway, the booking service, each with four
# attempts. At the bottom stands a service that is down.

# %%
predict(
    "P2.8",
    "Three services in a row, each tries a failed call up to 4 times. The last one always fails. The buyer presses the "
    "button once. How many calls arrive at the last one?",
    a="4",
    b="12",
    c="64",
    choice="c",
)

# %%
from workbook.props.chain import chain

FOUR_ATTEMPTS = {
    "maxAttempts": 4,
    "initialBackoff": "0.01s",
    "maxBackoff": "0.05s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def retrying(**more: Any) -> str:
    """A service config that tries every method up to four times."""
    return json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": FOUR_ATTEMPTS}], **more})


arrived = await chain([retrying()] * 3)
print("one layer retries:   ", await chain([retrying(), "{}", "{}"]), "calls arrive")
print("all three layers do: ", arrived, "calls arrive")
outcome("P2.8", {4: "a", 12: "b"}.get(arrived, "c"), f"{arrived}")

# %% [markdown]
# 4 × 4 × 4. The service is down, perhaps because it had too much to do, and for each buyer it now gets 64 calls. It
# will not come back like that. The medicine has become the poison. Two rules follow:
#
# 1. **Retry in one layer**, the one that knows that the call may be repeated.
# 2. **Throttle**: when most calls fail, stop retrying. gRPC keeps a number of tokens for each channel. A failure takes
#    one, a success gives a little back, and while half of them or fewer are left, no call is tried again.

# %%
throttled = retrying(retryThrottling={"maxTokens": 10, "tokenRatio": 0.1})
for said, config in (("no throttle", retrying()), ("throttled", throttled)):
    print(f"{said:14}{await chain([config], clicks=30):4} calls arrive for 30 buyers")

# %% [markdown]
# And a third rule, the oldest: **retry only what may be repeated.** `ReserveTickets` may, since task 2.3. `CreateEvent`
# may not: each try that arrives makes one more event.
#
# **Your task 2.6, a retry policy.** Write the booking service's `SERVICE_CONFIG` for its channel to the event service,
# as a `dict` given to `json.dumps`:
#
# - `event.EventService`'s `ReserveTickets` and `ReleaseTickets` are tried again, three attempts in all, on
#   `UNAVAILABLE` only;
# - no other method is;
# - retries stop when most calls fail: few tokens, such as 10;
# - no `timeout` in it: in Python it fires early, and the server is told of no deadline. Deadlines belong to the calls,
#   as in task 2.5.
#
# The cells above show every part that you need. `hint("2.6")` helps.

# %%
import json

### BEGIN SOLUTION 2.6
### INCLUDE phase2-event-service/booking_saga/inventory.py::SERVICE_CONFIG
### END SOLUTION


# %%
check("2.6")

# %% [markdown]
# **Why not retry after `DEADLINE_EXCEEDED`?** A call's deadline covers all its attempts: when it has passed, there is
# no time for another one. **Why pauses that grow?** A service that comes back is met by everybody at once. gRPC also
# makes each pause a little random, so that they do not all come together.
#
# ## 8. A crash between two services (14 min)
# **Break it.** Kill the booking service with SIGKILL while 16 clients book. Each of its calls is at some point of the
# saga: before the reserve, after it, before the confirmation. Then ask both databases.

# %%
import random

from invariants import broken_laws


def booking_rows(query: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connect(stack["postgres"].address, "booking_db") as database:
        return database.execute(query, values).fetchall()


def reserved(booking_ids: list[uuid.UUID]) -> int:
    """How many of these bookings hold tickets, as the event service has it."""
    query = "SELECT count(*) FROM reservations WHERE booking_id = ANY(%s) AND released_at IS NULL"
    with connect(stack["postgres"].address, "event_db") as database:
        return database.execute(query, [booking_ids]).fetchone()[0]


async def kill_between_two_steps(event_id: str, enough: Any) -> None:
    """Kills the booking service at a moment when bookings are between two steps of the saga."""
    service = stack["booking-service"]
    while service.state == "running":
        await asyncio.sleep(0.002)
        if enough():
            with hung(service):  # the moment stands still
                await asyncio.sleep(0.3)  # what the others are doing for it comes to its end
                if booking_rows("SELECT id FROM bookings WHERE event_id = %s AND status = 'PENDING'", [event_id]):
                    service.kill()


async def book_until_killed(event_id: str, clients: int = 16) -> tuple[dict[str, str], list[str]]:
    """Books one ticket after the other until the service dies: booking ids by key, and the keys that got no answer."""
    acknowledged: dict[str, str] = {}
    unanswered: list[str] = []

    async def client(stub: Any) -> None:
        while True:
            key = uuid.uuid4().hex
            wish = pb.CreateBookingRequest(user_id="ada", event_id=event_id, ticket_count=1, idempotency_key=key)
            try:
                acknowledged[key] = (await stub.CreateBooking(wish, timeout=5)).booking.id
            except grpc.aio.AioRpcError:
                unanswered.append(key)
                return

    async with grpc.aio.insecure_channel(BOOKINGS) as channel, asyncio.TaskGroup() as all_of_them:
        stub = booking_pb2_grpc.BookingServiceStub(channel)
        all_of_them.create_task(kill_between_two_steps(event_id, lambda: len(acknowledged) >= 100))
        for _ in range(clients):
            all_of_them.create_task(client(stub))
    return acknowledged, unanswered


# The other copies have done their work. They too would put things right, and you want to see what a crash leaves.
for name in set(stack.parts) - {"postgres", "event-service", "booking-service"}:
    stack[name].stop()

# %%
predict(
    "P2.9",
    "The booking service is killed while it makes 16 bookings at a time. What does the crash leave?",
    a="nothing: each booking is there or not",
    b="PENDING bookings; some of them hold tickets",
    c="CONFIRMED bookings without tickets",
    choice="b",
)

# %% tags=["measured"]
stack["booking-service"].start()  # does nothing while it runs
crash_event = await on_sale(EVENTS, capacity=100_000)
acknowledged, unanswered = await book_until_killed(crash_event)
states = dict(booking_rows("SELECT status, count(*) FROM bookings WHERE event_id = %s GROUP BY status", [crash_event]))
pending = [
    row[0] for row in booking_rows("SELECT id FROM bookings WHERE event_id = %s AND status = 'PENDING'", [crash_event])
]
confirmed = [
    row[0]
    for row in booking_rows("SELECT id FROM bookings WHERE event_id = %s AND status = 'CONFIRMED'", [crash_event])
]
print(f"acknowledged {len(acknowledged)}, without an answer {len(unanswered)}; in booking_db {states}")
print(f"PENDING ones that hold tickets: {reserved(pending)} of {len(pending)}")
print(f"CONFIRMED ones that hold tickets: {reserved(confirmed)} of {len(confirmed)}")
bare = len(confirmed) - reserved(confirmed)
outcome("P2.9", "c" if bare else "b" if pending else "a", f"{len(pending)} PENDING, {bare} CONFIRMED without tickets")

# %% [markdown]
# Nothing that was confirmed lacks its tickets: the order of the three steps saw to that. But there are bookings in
# between. Tickets may be set aside for them, and nobody works on them any more. Two things can happen to such a
# booking.
#
# - Its buyer **tries again with the same key**. The booking service finds the PENDING row by the key, as in lesson 1,
#   and `complete` goes on from there: a reserve that was made already is a no-op now, then CONFIRMED. It is the same
#   saga, called again.
# - Nobody comes. Then somebody has to end it, and the only safe end is **cancelled, tickets back**: nobody was ever
#   told that the booking is made. This is called **presumed abort**: what is not known to be done counts as not done.
#
# See both. First start a copy of the service that leaves such bookings alone for an hour. Half of the buyers who got no
# answer come back there, with their keys; the others have lost interest. Then start the service that was killed.

# %% tags=["measured"]
back = random.Random(1).sample(sorted(unanswered), len(unanswered) // 2)
with copy_of(stack, "booking-service", PENDING_LIMIT="3600") as copy:
    async with grpc.aio.insecure_channel(copy.address) as channel:
        stub, told = booking_pb2_grpc.BookingServiceStub(channel), []
        for key in back:
            wish = pb.CreateBookingRequest(user_id="ada", event_id=crash_event, ticket_count=1, idempotency_key=key)
            told.append((await stub.CreateBooking(wish, timeout=5)).booking.status)
print(f"{len(back)} came back with their keys, {told.count('CONFIRMED')} of them have a CONFIRMED booking")

began = time.perf_counter()
stack["booking-service"].start()
while (still := booking_rows("SELECT id FROM bookings WHERE status = 'PENDING'")) and time.perf_counter() - began < 30:
    await asyncio.sleep(0.05)
print(f"{time.perf_counter() - began:.1f} s after the start {len(still)} bookings are PENDING:")
for status, reason, count in booking_rows(
    "SELECT status, reason, count(*) FROM bookings WHERE event_id = %s GROUP BY 1, 2 ORDER BY 3 DESC", [crash_event]
):
    print(f"  {count:4} {status} {reason or ''}")
lost = set(acknowledged.values()) - {
    str(row[0])
    for row in booking_rows("SELECT id FROM bookings WHERE status = 'CONFIRMED' AND event_id = %s", [crash_event])
}
print(f"acknowledged and not CONFIRMED: {len(lost)}")

# %% [markdown]
# Those who came back have their booking. What nobody asked for again is `CANCELLED`, reason `EXPIRED`: once a booking
# has been PENDING for longer than `PENDING_LIMIT` (3 seconds in this lesson, 30 by default), **recovery** ends it. It
# runs inside every copy of the booking service and asks its own database, not its memory: a memory dies with its
# process. It looks every `RECOVERY_INTERVAL` seconds (0.2 in this lesson, 1 by default).
#
# ### Ending a booking that may be alive
# Recovery must be careful. The buyer may come back at this very moment, and the retry may confirm the booking while
# recovery gives its tickets away. So the order is what it was for cancelling in lesson 1, with one more condition.
#
# **Your task 2.7, presumed abort.** Write `abandon`: it cancels the booking only if it is *still* PENDING, and gives
# the tickets back only if the booking is CANCELLED then, by whomever. `self._bookings.move(booking_id, target, reason,
# only_from=…)` returns the booking as it is after the move, made or not. `hint("2.7")` helps.

# %%
from uuid import UUID

from booking_service.domain import Booking, Status
from booking_service.inventory import TicketInventory
from booking_service.repository import BookingRepository


class Abandoning:
    """One use case over the two ports."""

    def __init__(self, bookings: BookingRepository, inventory: TicketInventory) -> None:
        self._bookings = bookings
        self._inventory = inventory

    async def abandon(self, booking_id: UUID, reason: str) -> Booking:
        """Cancels the booking and gives its tickets back, if it is still PENDING; returns it as it is then."""
        ### BEGIN SOLUTION 2.7
        ### INCLUDE phase1-grpc/booking_service/service.py::BookingUseCases.abandon
        ### END SOLUTION


# %%
check("2.7")

# %% [markdown]
# ### Several copies, one list
# Ten copies of the booking service run ten recoveries. They must not all work on the same bookings, must not wait for
# each other, and when a copy dies in the middle, another one has to take over its share. One statement does all three:
#
# - `FOR UPDATE SKIP LOCKED`: a row that somebody else is taking just now is left out, not waited for;
# - a **lease**: `settle_at` is moved a few seconds ahead for what is taken. Until then nobody else looks at it. Whoever
#   dies leaves a lease that runs out;
# - `LIMIT`: a few at a time, so that a service that comes back is not met by a herd.
#
# **Your task 2.8, each copy takes its own.** Write the statement `TAKE` on the table `bookings`. It takes what is due
# (`settle_at <= now()`) and is either PENDING for more than `%(limit)s` seconds, or CANCELLED and not yet `given_back`.
# It moves `settle_at` to `%(lease)s` seconds from now, takes at most `%(batch)s`, and returns `id` and `status`.
# `make_interval(secs => …)` makes seconds into an interval. `hint("2.8")` helps.

# %%
### BEGIN SOLUTION 2.8
### INCLUDE phase2-event-service/booking_saga/recovery.py::TAKE
### END SOLUTION


# %%
check("2.8")

# %% [markdown]
# ### Cancelling while the other one is away
# The last gap: a buyer cancels, and the event service does not answer. Should the buyer wait? No. The booking is
# cancelled, which is all that matters to them. The tickets can go back later.

# %%
predict(
    "P2.10",
    "The event service is dead. A buyer cancels a booking of 3 tickets. What do they get, and when are the tickets back?",
    a="an error; they have to try again later",
    b="success; the tickets come back by themselves once the event service is up",
    c="success; somebody has to repair the number by hand",
    choice="b",
)

# %% tags=["measured"]
event_id = await on_sale(EVENTS, capacity=10)
sale = Sale()
while not sale.bookings:
    await crowd([BOOKINGS], event_id, [3], sale=sale)
booking_id = next(iter(sale.bookings))
with dead(stack["event-service"]):
    async with grpc.aio.insecure_channel(BOOKINGS) as channel:
        cancel = pb.CancelBookingRequest(booking_id=booking_id, reason="the band is ill")
        answer = await booking_pb2_grpc.BookingServiceStub(channel).CancelBooking(cancel, timeout=10)
print(f"with the event service dead: {answer.message}")
began = time.perf_counter()
while (left := await tickets_left(EVENTS, event_id)) < 10 and time.perf_counter() - began < 20:
    await asyncio.sleep(0.05)
print(f"{left} of 10 tickets available, {time.perf_counter() - began:.1f} s after it was up again")
outcome("P2.10", "b" if answer.success and left == 10 else "c", f"success, and {left} of 10 are available again")

# %% [markdown]
# The cancelled booking is marked as *not given back yet*. Recovery finds it, like one that is PENDING for too long, and
# asks the event service again until it answers: `ReleaseTickets` may be repeated, since task 2.4. The lease is why it
# takes some seconds.
#
# ## 9. The promise as a query (7 min)
# "It seems to work" is not enough for a promise. Write it down so that a machine can check it. The laws of this system:
#
# - **I1**, for each event: available + reserved = capacity, and 0 ≤ available ≤ capacity;
# - **I2**, at rest: a CONFIRMED booking holds exactly its tickets, a CANCELLED one holds none, none is PENDING for
#   long;
# - **I3**: one booking for each key; what was acknowledged never disappears and never goes backwards.
#
# **Your task 2.9, the first law.** Write `UNBALANCED`, a query over `events` and `reservations` that returns `id`,
# `available`, the tickets reserved, and `capacity` of every event that breaks I1. A reservation is live while
# `released_at` is NULL. Mind the events that have no reservation at all. `hint("2.9")` helps.

# %%
### BEGIN SOLUTION 2.9
UNBALANCED = """
    SELECT e.id, e.available, coalesce(sum(r.ticket_count), 0) AS reserved, e.capacity
    FROM events e LEFT JOIN reservations r ON r.event_id = e.id AND r.released_at IS NULL
    GROUP BY e.id
    HAVING e.available + coalesce(sum(r.ticket_count), 0) <> e.capacity
        OR e.available NOT BETWEEN 0 AND e.capacity
"""
### END SOLUTION


# %%
check("2.9")

# %% [markdown]
# `invariants` asks both databases for all three laws. It has just been through a lot; ask it, with the acknowledged
# bookings of section 8:


# %%
def laws(**more: Any) -> list[str]:
    """The first breaks of a law, as sentences."""
    databases = [stack.settings_of(name) for name in ("booking-service", "event-service")]
    return [f"{broken.law}: {broken.what}" for broken in broken_laws(*databases, **more)][:5]


answered = [uuid.UUID(found) for found in acknowledged.values()]
print(*laws(acknowledged=answered) or ["no law is broken"], sep="\n")

# %% [markdown]
# Does it see anything at all? **Break it**, and put it right again:

# %%
with connect(stack["postgres"].address, "event_db") as database:
    database.execute("UPDATE events SET available = available - 1 WHERE id = %s", [event_id])
    try:
        print(*laws(), sep="\n")
    finally:
        database.execute("UPDATE events SET available = available + 1 WHERE id = %s", [event_id])
print(*laws() or ["no law is broken"], sep="\n")

# %% [markdown]
# The same check stands behind the tests, the checklist, and `./learn check laws` in a terminal, which reads the
# databases of the system that runs there.
#
# ## 10. One command for all of it (5 min)
# Two services, two databases, two migrations: nobody wants to start that by hand. `./learn up` does it on your machine.
# For others there is **Docker Compose**: a file names the containers, what each needs, and in which order.
#
# ```yaml file=phase2-event-service/compose.yaml
#   event-service:
#     extends: { file: ../phase1-grpc/compose.base.yaml, service: service }
#     image: ticket-workbook/event-service:${TAG:-phase2}
#     build: { context: .., target: event-service, args: { PHASE: "2" } }
#     ports: ["127.0.0.1:${EVENT_PORT:-50052}:50052"]
#     mem_limit: 192m # measured with 900 bookings in flight: 84 MB
#     healthcheck:
#       test: [CMD, python, -m, chassis.probe, "127.0.0.1:50052", event.EventService]
#     depends_on:
#       event-migrate: { condition: service_completed_successfully }
#
#   booking-migrate:
#     extends: { file: ../phase1-grpc/compose.yaml, service: booking-migrate }
#     image: ticket-workbook/booking-service:${TAG:-phase2}
#
#   # It does not wait for the event service: it starts without it, and says UNAVAILABLE until it answers.
#   booking-service:
#     extends: { file: ../phase1-grpc/compose.yaml, service: booking-service }
#     image: ticket-workbook/booking-service:${TAG:-phase2}
#     build: { args: { PHASE: "2" } }
#     mem_limit: 384m # measured with 900 bookings in flight: 170 MB
#     environment:
#       EVENT_ADDRESS: event-service:50052 # a name that Docker's DNS knows
#       PENDING_LIMIT: # as the shell has it, if it has
# ```
#
# - `extends` takes a service from phase 1's file and changes only what is new. The folder *is* the difference.
# - `EVENT_ADDRESS` holds a **name**. Docker's DNS knows which container it is: section 2 again.
# - `depends_on` with `service_completed_successfully` waits for the migration, once, before any copy starts.
# - `mem_limit` here, `read_only` and `cap_drop` in the base file: a container gets what it needs and nothing else.

# %% tags=["measured"]
from workbook.needs import missing

if missing("docker"):
    print("○ not run:", missing("docker"))
else:
    print("Docker is here. In a terminal: docker compose up --wait --build, then ./learn check 2 --target compose")

# %% [markdown]
# ## 11. Everybody wants the same seat (10 min)
# The sale of the year opens at ten. Nobody looks at the other ten thousand events. Every reservation changes **the same
# row**, and a row can be changed by one transaction at a time. Measure what that does: 64 callers, 16 connections, one
# statement for each reservation. First each caller has an event of its own, then all want the same one.

# %%
from datetime import UTC, datetime

from chassis.migrations import create_database, migrate
from chassis.postgres import Database
from event_service.app import MIGRATIONS
from event_service.domain import NewEvent, Wish
from event_service.postgres import PostgresEvents
from event_service.reservations import RESERVE

CALLERS = 64
# A database of its own: these reservations belong to no booking, and the laws would complain.
settings = stack.settings_of("event-service").model_copy(update={"db_name": "hot_db", "db_pool_size": 16})
create_database(settings)
migrate(settings, [MIGRATIONS])


async def put_on_sale(count: int) -> list[uuid.UUID]:
    new = NewEvent("The sale of the year", "concert", datetime(2099, 12, 31, tzinfo=UTC), "UTC", "Babylon", 1_000_000)
    async with Database(settings) as database:
        return [(await PostgresEvents(database).create(new)).id for _ in range(count)]


async def per_second(reserve_one: Any, events: list[uuid.UUID], seconds: float = 1.5) -> float:
    """Reservations a second, by 64 callers who take the events in turn."""
    done, end = 0, time.perf_counter() + seconds

    async def caller(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await reserve_one(Wish(uuid.uuid4(), events[number % len(events)], 1))
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return done / (time.perf_counter() - began)


async def one_statement_each(events: list[uuid.UUID]) -> float:
    """Reservations a second over 16 connections, when each is a statement and a commit of its own."""
    where = {**settings.conninfo(), "autocommit": True}
    async with AsyncConnectionPool(kwargs=where, min_size=16, max_size=16, open=False) as connections:

        async def reserve_one(wish: Wish) -> None:
            values = {"booking": wish.booking_id, "event": wish.event_id, "count": wish.ticket_count}
            async with connections.connection() as connection:
                await connection.execute(RESERVE, values)

        await connections.wait()
        return await per_second(reserve_one, events)


# %%
predict(
    "P2.11",
    "The same 64 callers, the same statements, but one event instead of 64. What becomes of the rate?",
    a="it stays about the same: PostgreSQL is quick",
    b="it falls to three quarters, or less",
    c="it rises: one row is always in memory",
    choice="b",
)

# %% tags=["measured"]
own_event, same_event = await put_on_sale(CALLERS), await put_on_sale(1)
rates = {
    "64 events, a statement each": await one_statement_each(own_event),
    "one event, a statement each": await one_statement_each(same_event),
}
pictures.bars(rates, "reservations/s")
alone, together = rates.values()
outcome(
    "P2.11", "b" if together < 0.75 * alone else "a" if together < 1.1 * alone else "c", f"to {together / alone:.0%}"
)

# %% [markdown]
# While one transaction holds the row, 15 connections wait for it, and each of them wakes up to find that somebody else
# was quicker. More connections make it worse.
#
# The way out is to write **less often**. While one statement is under way, more callers arrive and wait. Let them wait
# *together*: the next statement serves all of them at once, takes the sum of their tickets from the row, and writes a
# reservation row for each. One lock and one commit for fifty callers. Databases call that a **group commit**.
#
# Everybody needs an answer of their own, though: all of the tickets of their wish, or none. So before the statement is
# written, somebody has to go through the batch.
#
# **Your task 2.10, a batch, served in order.** Write `verdicts`: `available` tickets are left, `wishes` are the counts
# wanted, in order of arrival. It says for each whether it gets its tickets, exactly as if they had come one by one. A
# wish that is too large is refused, and the next, smaller one may still fit. `hint("2.10")` helps.

# %%
from collections.abc import Sequence


def verdicts(available: int, wishes: Sequence[int]) -> list[bool]:
    """Who of a batch gets all the tickets of its wish, in order of arrival, as if they had come one by one."""
    ### BEGIN SOLUTION 2.10
    granted = []
    for wish in wishes:
        fits = wish <= available
        granted.append(fits)
        if fits:
            available -= wish
    return granted
    ### END SOLUTION


# %%
check("2.10")

# %% [markdown]
# In the event service this is the heart of `ledger.py`; it also knows bookings that hold their tickets already,
# tombstones, and sales that are closed. The statement after it writes only if the row still has what the batch needs;
# else the batch looks again:
#
# ```python file=phase2-event-service/event_service/reservations.py
# RESERVE_MANY = """
# WITH taken AS (
#     UPDATE events SET available = available - %(total)s
#     WHERE id = %(event)s AND available >= %(total)s AND starts_at > now()
#     RETURNING id
# )
# INSERT INTO reservations (booking_id, event_id, ticket_count)
# SELECT wish.booking_id, taken.id, wish.ticket_count
# FROM taken, unnest(%(bookings)s::uuid[], %(counts)s::integer[]) AS wish (booking_id, ticket_count)
# ORDER BY wish.booking_id
# """
# ```
#
# SQL still decides. Two copies of the event service have two queues, and neither knows of the other; the condition on
# the row does. **The same number again**, grouped:

# %% tags=["measured"]
async with Database(settings) as database:
    rates["one event, grouped"] = await per_second(PostgresEvents(database).reserve, same_event)
pictures.bars(rates, "reservations/s")
print(f"grouped ÷ a statement each, on one event: {rates['one event, grouped'] / together:.1f}")

# %% [markdown]
# **Is it always on?** Yes. A lone caller finds no queue and writes at once. **Why not wait a few milliseconds for a
# larger group?** The time that a statement takes gathers one by itself, and the more callers there are, the larger it
# gets.
#
# **And when too many come?** A queue that only grows serves everybody too late. It has an end: whoever would not be
# served before their deadline is refused at once with `RESOURCE_EXHAUSTED`, and can be told so.

# %% [markdown]
# ## 12. Now you (4 min)
# Everything is built. Try to break it. Buyers come for a minute; the buttons kill, pause, resume and start real
# processes, and the slider makes the network between the two services slow. Watch the picture: it may stand still, but
# it never goes below zero. At the end the laws are asked.

# %% tags=["measured"]
from workbook.props.panel import Panel

line = Line(EVENTS).open()
shop = stack.replica("booking-service", EVENT_ADDRESS=line.address)
event_id = await on_sale(EVENTS, capacity=600)
panel = Panel(stack, "event-service", shop.name, "postgres", line=line).show()


async def buyers(seconds: float) -> None:
    """Buyers, 15 each second, while you press buttons."""
    sale = Sale()
    try:
        async with SeatLedger(EVENTS, event_id) as seats:
            await crowd([shop.address], event_id, [1] * int(15 * seconds), over=seconds, sold=seats.sold, sale=sale)
    finally:
        print(f"{sale.tickets} tickets sold; the others were told {dict(sale.told)}")


buying = asyncio.create_task(buyers(60 if panel.has_buttons else 3))

# %% [markdown]
# The buyers come in the background, so that the buttons work. Run the next cell when you have had enough: it sends the
# rest of them home. It starts what you left dead, waits until the system is at rest, and asks for the laws.

# %% tags=["measured"]
if not panel.has_buttons:  # nobody can press a button here: press two of them in writing
    await panel.press("event-service", "kill")
    await asyncio.sleep(0.5)
    await panel.press("event-service", "start")
    await buying
buying.cancel()
for name in ("postgres", "event-service", shop.name):
    stack[name].resume()
    stack[name].start()
line.delay = 0
give_up_at = time.monotonic() + 30
while laws() and time.monotonic() < give_up_at:
    await asyncio.sleep(0.2)
print(*laws() or ["at rest: no law is broken"], sep="\n")
panel.close()
shop.stop()
line.close()

# %% [markdown]
# ## 13. The whole phase, and your own (4 min)
# Ask from outside whether it works. The checklist of phase 2 calls both services and looks at the answers. Here it runs
# against a fresh stack:

# %% tags=["measured"]
from rich.console import Console
from workbook.board import print_board
from workbook.checklist import run
from workbook.stack import LocalStack

with LocalStack(2) as fresh:
    target = ",".join(f"{name}={fresh[name].address}" for name in ("booking-service", "event-service"))
    seen_from_outside = await asyncio.to_thread(run, 2, target)
status = print_board(seen_from_outside, Console(force_jupyter=False, highlight=False, width=110))

# %% [markdown]
# A line with ○ was not run, and says what it needs. `./learn check 2` in a terminal also kills and pauses the parts of
# its stack, and runs those lines too. The same board judges your own two services, in any language:
#
# ```console
# $ ./learn check 2 --restart './kill-and-start.sh' \
#     --target booking-service=127.0.0.1:50051,event-service=127.0.0.1:50052
# ```
#
# ### In five lines
#
# 1. A call to another service is done, refused, or unknown. Only after the first two do you know anything.
# 2. Whoever writes decides: one conditional UPDATE, in the one place that sees everybody.
# 3. Give each wish an id before you act. Then a repeated call does nothing, and a late one finds a tombstone.
# 4. Every call has a deadline; one layer retries, throttled, only what may be repeated.
# 5. Write PENDING first, and let one saga function, called again, finish or undo what a crash left.
#
# ### Recall
# Answer each before you open it.
#
# <details><summary>1. Why one channel for life, and not one for each call?</summary>
#
# A channel is a connection. Opening one costs round trips, and one channel carries any number of calls at a time.
# </details>
#
# <details><summary>2. The event service has ten copies and nine are idle. Which setting is missing?</summary>
#
# `round_robin` on the caller's channel. The default takes the first address that answers and stays there.
# </details>
#
# <details><summary>3. “Ask how many are left, then book” was oversold. Why did the lock not help?</summary>
#
# It locked one process. Another copy has another lock; and it made all events wait for each other.
# </details>
#
# <details><summary>4. A call got no answer. Which two things may have happened?</summary>
#
# The request got lost, or the answer did. From the client's end they look alike.
# </details>
#
# <details><summary>5. What makes <code>ReserveTickets</code> safe to repeat, and <code>CreateEvent</code> not?</summary>
#
# The booking's id, made before the call. `CreateEvent` makes its id itself, a new one each time.
# </details>
#
# <details><summary>6. Why is the row of a released reservation never deleted?</summary>
#
# A reserve of the same booking may still be on its way. It has to find that the booking is over.
# </details>
#
# <details><summary>7. The event service hangs. Who is gone next, without deadlines?</summary>
#
# Everybody who calls it: their callers fill all the room they have. Then whoever calls those.
# </details>
#
# <details><summary>8. Why does recovery cancel a PENDING booking, and not confirm it?</summary>
#
# Nobody was told that it is made, and its tickets may not be there. Cancelling is safe in either case.
# </details>
#
# <details><summary>9. What is a lease for?</summary>
#
# Nobody else takes the same work while it lasts; and when its holder dies, it runs out by itself.
# </details>
#
# <details><summary>10. Which law does a leaked ticket break, and which an oversold one?</summary>
#
# Leaked: a cancelled booking that still holds its tickets breaks I2; a number that went down without a reservation, as
# in section 5, breaks I1. Oversold: a CONFIRMED booking without its reservation breaks I2; a number below zero breaks
# I1.
# </details>
#
# ### What this phase added

# %% tags=["measured"]
from workbook.phases import phase_folders

added = phase_folders()[2]
for part in ("event_service", "booking_saga", "invariants", "phase2", "checklist", "tests"):
    files = [path for path in (added / part).rglob("*.py") if "_pb2" not in path.name]
    lines = sum(len(path.read_text().splitlines()) for path in files)
    print(f"{added.name + '/' + part:40}{len(files):4} files {lines:6,} lines")

# %% [markdown]
# No file of phase 1 was changed for it: the event service was plugged into the port `TicketInventory`, and recovery
# runs beside the service. Phase 3 adds a message for every booking, and somebody who counts them.
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

await pool.close()
prove(2)
