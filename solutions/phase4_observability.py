# %% [markdown]
# # Lesson 4: Metrics, traces and logs, or how to see what happens
#
# **Where we are.** Three services and Kafka keep their promise, whatever dies. But who sees it? A booking goes through
# three processes, two databases and a log, and when it is slow nobody can say where. This lesson adds what tells:
# **metrics**, **traces**, and logs that name their trace; and what listens: **Prometheus**, **Grafana**, **Jaeger**.
#
# ![The system, and the phase that adds each part](../docs/system.svg)
#
# It takes about two hours; section 7 begins the second half. After it you can
#
# - choose between a counter, a gauge and a histogram, and say what each hides;
# - read a quantile, and know when it lies;
# - keep labels small, so that no client can fill your memory;
# - ask Prometheus, draw a panel, and write an alert that wakes somebody when it should and only then;
# - follow one booking through all services and Kafka, and find where its time went;
# - find a fault that nobody told you about, from its signals alone.

# %%
import asyncio
import secrets
import time
import uuid
from contextlib import asynccontextmanager, suppress
from typing import Any

from workbook import pictures
from workbook.lesson import check, hint, local_stack, outcome, predict, solution
from workbook.props.promql import PromQL

stack = local_stack(4, FIGURES_EVERY="0.5", OTEL_BSP_SCHEDULE_DELAY="200")
EVENTS, BOOKINGS = (stack[name].address for name in ("event-service", "booking-service"))
prometheus = PromQL(stack)
print("running:", ", ".join(name for name in stack.parts if name != "prometheus"))

# %% tags=["measured"]
from workbook.kafka.choice import described

print("Kafka is", described(stack.kafka))
print("Prometheus runs" if prometheus.there else "○ no Prometheus here (apt install prometheus): its cells say so")

# %% [markdown]
# Everything below asks for tickets, so here is a buyer. `book` makes one booking and says how it ended and how long it
# took; `traffic` keeps eight buyers busy.

# %%
import grpc
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc
from workbook.props.crowd import on_sale

bookings = booking_pb2_grpc.BookingServiceStub(grpc.aio.insecure_channel(BOOKINGS))
event_id = await on_sale(EVENTS, 100_000)


async def book(event: str = event_id, tickets: int = 1, user: str = "ada", **call: Any) -> tuple[str, float, str]:
    """How a booking ended, the seconds it took, and its id."""
    wish = pb.CreateBookingRequest(user_id=user, event_id=event, ticket_count=tickets, idempotency_key=uuid.uuid4().hex)
    began = time.perf_counter()
    try:
        made = await bookings.CreateBooking(wish, **{"timeout": 5, **call})
    except grpc.aio.AioRpcError as error:
        return error.code().name, time.perf_counter() - began, ""
    return "OK", time.perf_counter() - began, made.booking.id


async def traffic(count: int, buyers: int = 8, pause: float = 0) -> list[float]:
    """Seconds that each of `count` bookings took; each buyer rests `pause` seconds between two."""
    took = []

    async def buy(number: int) -> None:
        for _ in range(count // buyers):
            took.append((await book(user=f"buyer-{number}"))[1])
            await asyncio.sleep(pause)

    await asyncio.gather(*(buy(number) for number in range(buyers)))
    return took


print("on sale")

# %% [markdown]
# ## 1. "It is slow sometimes" (7 min)
# **The pain.** A buyer complains. You look: all services run, all laws hold. You measure: on average a booking is
# quick. Somebody is wrong.
#
# Here is what happens to that buyer. Now and then an organiser's report takes a lock on the event's row, and holds it
# for 0.4 seconds. Whoever books at that moment waits.

# %%
from collections.abc import AsyncIterator

import psycopg


@asynccontextmanager
async def report_running(seconds: float, every: float = 0.8, times: int = 3) -> AsyncIterator[None]:
    """An organiser's report, in the background: it locks the event's row, again and again."""

    async def lock() -> None:
        where = stack.settings_of("event-service").conninfo()
        async with await psycopg.AsyncConnection.connect(**where) as connection:
            for _ in range(times):
                async with connection.transaction():
                    await connection.execute("SELECT * FROM events WHERE id = %s FOR UPDATE", [event_id])
                    await asyncio.sleep(seconds)
                await asyncio.sleep(every)

    running = asyncio.create_task(lock())
    await asyncio.sleep(0.2)  # its first lock is taken
    try:
        yield
    finally:
        await running


predict(
    "P4.1",
    "Of 400 bookings, a few wait 0.4 s for the report. What does the mean of all 400 look like, next to that of 400 "
    "bookings without the report?",
    a="more than ten times as long",
    b="longer, but still far below 0.4 s: it does not show that anybody waited",
    c="the same to the last digit",
    choice="b",
)

# %% tags=["measured"]
from statistics import mean, median, quantiles

await traffic(40)  # the first ones warm everything up
calm = await traffic(400, buyers=4, pause=0.01)
async with report_running(0.4):
    with_report = await traffic(400, buyers=4, pause=0.01)
pictures.latencies({"without the report": calm, "with it": with_report})
for name, took in (("without", calm), ("with", with_report)):
    p99 = quantiles(took, n=100)[98]
    print(f"{name:8} mean {1000 * mean(took):6.1f} ms   p99 {1000 * p99:6.1f} ms   slowest {1000 * max(took):6.1f} ms")
grew = mean(with_report) / mean(calm)
outcome("P4.1", "a" if grew > 10 else "c" if f"{grew:.4f}" == "1.0000" else "b", f"the mean grew {grew:.2f}-fold")

# %% [markdown]
# The mean drowns the few in the many. **p99**, the 99th percentile, is the time within which 99 of 100 were served; it
# is what a complaint looks like as a number. So a service must keep more than a sum and a count, and it must do so
# always: nobody can go back and measure what happened an hour ago.
#
# ## 2. Numbers that a service tells (10 min)
# A service does not send its numbers anywhere. It keeps them in memory and shows them on a page; **Prometheus** comes
# by every few seconds and reads it. That is called a **scrape**. Look at the page yourself:

# %%
from workbook.counted import figures

page = figures(stack, "booking-service")
CREATE = "booking.BookingService/CreateBooking"
ASKED = f'grpc_requests_total{{code="OK",method="{CREATE}",side="server"}}'

# %% tags=["measured"]
print(f"{len(page)} lines, four of them:\n")
for name in (
    ASKED,
    f'grpc_requests_in_flight{{method="{CREATE}",side="server"}}',
    'bookings_by_status{status="confirmed"}',
    "outbox_messages_waiting",
):
    print(f"{page[name]:8g}  {name}")

# %% [markdown]
# A line is a **series**: a name, **labels** in braces, and a value. There are two kinds here:
#
# - a **counter** only grows: requests, errors, bytes. Its name ends in `_total`. Nobody looks at its value; one looks
#   at how fast it grows;
# - a **gauge** goes up and down: requests in flight, messages waiting, bookings that are confirmed now.
#
# Let a few things happen, and see what grows. An event with three tickets, and five wishes:


# %% tags=["measured"]
def grown(before: dict[str, float], now: dict[str, float], *names: str) -> None:
    """Prints what grew, of the series that begin with one of these names."""
    for name, value in sorted(now.items()):
        if name.startswith(names) and value != before.get(name, 0):
            print(f"{value - before.get(name, 0):+5g}  {name}")


small = await on_sale(EVENTS, 3)
before = figures(stack, "booking-service")
ended = [await book(small), await book(small, 2), await book(small), await book("no-such-event"), await book(small, -1)]
await bookings.CancelBooking(pb.CancelBookingRequest(booking_id=ended[0][2]))
print([code for code, *_ in ended], "and one cancelled\n")
grown(before, figures(stack, "booking-service"), "grpc_requests_total")

# %% [markdown]
# Each way to end is a series of its own, because `code` is a label. And every code that can come is there from the
# start, at 0. That matters: the first error of the night is then a step from 0 to 1, which Prometheus sees. A series
# that appears with its first error begins at 1, and a step that nobody saw is none.

# %%
predict(
    "P4.2",
    "The booking service is killed and started again. What do `grpc_requests_total`, counted in its memory, and "
    "`bookings_by_status`, read from its table, say now?",
    a="both go on where they were",
    b="both begin at 0",
    c="the first begins at 0, the second goes on",
    choice="c",
)

# %% tags=["measured"]
STATUS = 'bookings_by_status{status="confirmed"}'


async def figure(name: str, service: str = "booking-service") -> float:
    """A series once it is shown: some are read from a table first."""
    async with asyncio.timeout(20):
        while True:
            with suppress(OSError, KeyError):
                return figures(stack, service)[name]
            await asyncio.sleep(0.1)


await asyncio.sleep(1)  # the table is read every half second
was = [await figure(ASKED), await figure(STATUS)]
stack["booking-service"].kill()
stack["booking-service"].start()
now = [await figure(ASKED), await figure(STATUS)]
print(f"grpc_requests_total {was[0]:g} → {now[0]:g}     bookings_by_status {was[1]:g} → {now[1]:g}")
outcome("P4.2", "b" if now[1] < was[1] else "c" if now[0] < was[0] else "a", f"{now[0]:g} and {now[1]:g}")

# %% [markdown]
# A counter in memory dies with its process, and that is all right: Prometheus knows that a counter never falls, so it
# takes a fall for a restart. But how many bookings *are* confirmed is no property of a process. It is read from the
# table. So is `bookings_total` of the metrics consumer, which must survive, because each message is counted only once.
#
# To count requests sounds like one line. Where does the line go?

# %% [markdown]
# **Your task 4.1, every request counted.** Write what `counted` puts around a handler. It calls the handler, and then
# `count(code)` exactly once, with the status that the **caller** gets:
#
# - after an answer and after `context.abort…`: what the handler chose. `context.code()` has it; `None` is OK;
# - after a bug, that is any exception which is no `AbortError`: UNKNOWN, whatever the exception;
# - when the caller hangs up, or its deadline passes: a `CancelledError`, both times. `context.time_remaining()` tells
#   which. It gives seconds, or `None` for a caller without a deadline, and it may be off by some milliseconds.
#
# It only counts: what comes out of the handler comes out of it, the same answer or the same exception. `hint("4.1")`
# helps.

# %%
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from grpc import StatusCode

Handler = Callable[[Any, Any], Awaitable[Any]]


def counted(call: Handler, count: Callable[[StatusCode], None]) -> Handler:
    """The same handler; `count` is told once a request how it ended for its caller."""

    async def counted_call(request: Any, context: Any) -> Any:
        ### BEGIN SOLUTION 4.1
        try:
            answer = await call(request, context)
        except asyncio.CancelledError:
            left = context.time_remaining()
            late = left is not None and left < 0.05
            count(StatusCode.DEADLINE_EXCEEDED if late else StatusCode.CANCELLED)
            raise
        except grpc.aio.AbortError:
            count(context.code())
            raise
        except BaseException:
            count(StatusCode.UNKNOWN)
            raise
        count(context.code() or StatusCode.OK)
        return answer
        ### END SOLUTION

    return counted_call


# %%
check("4.1")

# %% [markdown]
# **Why not ask `context.code()`?** It says what the handler *chose*. After a bug, a caller that hung up and a deadline
# it is `None`. Many a dashboard shows no errors on the worst day of the year, because the line that counts stood behind
# the one that raised.
#
# ## 3. A histogram, and how it lies (14 min)
# How long requests take cannot be kept one by one: a million a day would be a million numbers. A **histogram** keeps a
# few counters instead: how many requests took at most 10 ms, at most 20 ms, and so on. Each end is a label, `le`, "less
# or equal". This is what the booking service has kept:

# %% tags=["measured"]
import re

await traffic(200, buyers=4)
async with report_running(0.4, times=1):
    await traffic(80)
BUCKET = re.compile(r'grpc_request_duration_seconds_bucket\{le="(.+)",method="(.+)",side="server"\}')
told = figures(stack, "booking-service")
lines = {m[1]: value for name, value in told.items() if (m := BUCKET.fullmatch(name)) and m[2] == CREATE}
for le, value in lines.items():
    print(f"le {le:>6}  {value:5g}  {'█' * int(50 * value / lines['+Inf'])}")

# %% [markdown]
# The counters are **cumulative**: a request of 15 ms is in `le="0.02"` and in every one after it. `+Inf` holds all.
#
# From these few numbers a quantile can be read, though not exactly. Which bucket holds the request in question is
# known. Where in its bucket it lies is not, so one pretends that they lie evenly.

# %% [markdown]
# **Your task 4.2, a quantile from buckets.** Write `quantile`. It gets what such a page tells: upper bounds in seconds,
# from the lowest to +Inf, each with how many requests took **at most** so long. It answers how long the share `q` of
# all requests took at most; 0.99 is p99.
#
# - Request number `q` × all of them, counted from the quickest, is the one. Whole or not, that is its number.
# - It lies in the first bucket whose count reaches that number. Those in this bucket are taken to lie evenly between
#   its two ends. The first bucket begins at 0.
# - If it lies in +Inf, nobody knows how long it took: then the last bound before +Inf is the answer.
# - If nothing was counted, or there is no bucket but +Inf, the answer is None.
#
# `hint("4.2")` helps.

# %%
import math


def quantile(q: float, buckets: list[tuple[float, float]]) -> float | None:
    """Seconds that the share `q` of all requests took at most, 0 < q <= 1; `buckets` are (upper bound, count)."""
    ### BEGIN SOLUTION 4.2
    total = buckets[-1][1]
    if total == 0 or len(buckets) == 1:
        return None
    rank = q * total
    begin, before = 0.0, 0.0
    for end, count in buckets:
        if count >= rank:
            break
        begin, before = end, count
    if end == math.inf:
        return begin
    return begin + (end - begin) * (rank - before) / (count - before)
    ### END SOLUTION


# %%
check("4.2")

# %% [markdown]
# Prometheus' `histogram_quantile` does exactly that. So the answer is as good as the buckets. Here is a service that is
# always quick, and three ways to choose its buckets:

# %%
from random import Random

from workbook.props.histogram import kept, read

quick = [Random(n).uniform(0.010, 0.014) for n in range(5000)]  # seconds
CHOICES = {
    "5 ms, 0.5 s, 5 s": (0.005, 0.5, 5),
    "1, 2, 5, 10 s": (1, 2, 5, 10),
    "this system's": (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1, 2, 5, 10),
}
predict(
    "P4.3",
    "Every answer takes between 10 and 14 ms. The buckets end at 5 ms, 0.5 s and 5 s. Which p99 does Prometheus read?",
    a="about 14 ms",
    b="about 0.5 s",
    c="5 s",
    choice="b",
)

# %%
measured = {"the truth": quantiles(quick, n=100)[98]}
measured |= {name: read(0.99, kept(quick, ends)) for name, ends in CHOICES.items()}
pictures.bars({name: 1000 * seconds for name, seconds in measured.items()}, "ms")
seen = measured["5 ms, 0.5 s, 5 s"]
outcome("P4.3", "a" if seen < 0.1 else "b" if seen < 1 else "c", f"{1000 * seen:.0f} ms, from answers of at most 14 ms")

# %% [markdown]
# No error, no warning: a wrong number, with three digits. And it lies in the other direction, too. What is slower than
# the last end counts as that end: a service that hangs for a minute has a p99 of 10 s, however long it hangs.
#
# Two things help. The question that matters is seldom "what is p99?" but "**how many are slower than we promised?**".
# If a bucket ends exactly at the promise, that answer is counted and not guessed. And buckets should be narrow where
# most requests are.

# %% [markdown]
# Three services, and how long their requests took. Each is one shape that you will meet:

# %%
from workbook.props.latencies import LATENCIES, OBJECTIVE
from workbook.props.latencies import quantile as true_quantile

for name, seconds in LATENCIES.items():
    within = sum(took <= OBJECTIVE for took in seconds) / len(seconds)
    p50, p99 = (1000 * true_quantile(q, seconds) for q in (0.5, 0.99))
    print(f"{name:10} p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   within {OBJECTIVE:g} s: {within:.1%}")

# %% [markdown]
# **Your task 4.3, buckets.** All three shall have the same `BUCKETS`, at most 12 upper bounds in seconds (+Inf comes by
# itself). From them
#
# - the share of requests within 0.25 s, which is what was promised, must be read exactly;
# - p50 and p99, read as in task 4.2, may be off by a quarter of the truth at most.
#
# Try the ones that `prometheus_client` takes when nobody chooses: 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5,
# 0.75, 1, 2.5, 5, 7.5, 10. What do they get wrong? Then choose your own. `hint("4.3")` helps.

# %%
### BEGIN SOLUTION 4.3
BUCKETS = (0.002, 0.004, 0.007, 0.012, 0.016, 0.05, 0.08, 0.25, 0.3, 0.8, 1.2)
### END SOLUTION

# %%
check("4.3")

# %% [markdown]
# **Why not a hundred buckets?** Each is a series, for each method, for each replica. Which brings us to what a label
# costs.
#
# ## 4. One label too many (8 min)
# "It would be nice to see bookings by user." One label, one line of code. Let us try it here, in this kernel, where it
# hurts nobody:

# %%
from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, generate_latest

disable_created_metrics()


def page_of(users: int, *labels: str) -> tuple[int, int]:
    """Series and bytes of a page that counts one booking each of so many users, under these labels."""
    registry = CollectorRegistry()
    counter = Counter("bookings", "Bookings", labels, registry=registry)
    for number in range(users):
        values = {"status": ("confirmed", "cancelled")[number % 2], "user_id": f"user-{number:06}"}
        counter.labels(*(values[label] for label in labels)).inc()
    text = generate_latest(registry)
    return text.count(b"\nbookings_total{"), len(text)


predict(
    "P4.4",
    "Bookings are counted by status: 2 series. Now also by user, and 50,000 users book once. How many series are there "
    "now, and what does Prometheus read at each scrape?",
    a="4 series, a few hundred bytes",
    b="50,000 series, several megabytes",
    c="50,000 series, but only those that changed are read",
    choice="b",
)

# %%
by_status, by_user = page_of(50_000, "status"), page_of(50_000, "status", "user_id")
for labels, (series, size) in (("status", by_status), ("status, user_id", by_user)):
    print(f"{labels:16} {series:7,} series {size:10,} bytes a scrape")
outcome("P4.4", "b" if by_user[0] == 50_000 and by_user[1] > 1_000_000 else "a", "each scrape reads all of them")

# %% [markdown]
# Series are what a metrics system pays for. Labels **multiply**: 4 methods × 17 codes × 3 replicas are 204 series;
# times 50,000 users are ten million. And a label that a client can choose, such as the path of a request, is a door:
# whoever knocks often enough fills the memory.
#
# **A label's values come from a closed set.** Ids belong in traces and logs, where one entry costs as much as any
# other.

# %% [markdown]
# **Your task 4.4, labels.** Write `labels_of`: the labels of a request in a counter. Whatever clients send, 10,000
# requests shall make at most 200 series. And each method in `METHODS` and each outcome must have its own: on a bad day
# one wants to know which of them fails, and how.
#
# A path that is no method of the service is some stranger's; all of these together are one value. A handler may have
# ended with a number instead of a `grpc.StatusCode`: 5 and `NOT_FOUND` are the same outcome, and a number that gRPC
# does not know is `UNKNOWN`. Every request has the same label names, and all values are text. `hint("4.4")` helps.

# %%
from dataclasses import dataclass

import grpc

METHODS = (
    "booking.BookingService/CreateBooking",
    "booking.BookingService/GetBooking",
    "booking.BookingService/ListUserBookings",
    "booking.BookingService/CancelBooking",
    "event.EventService/GetEvent",
    "event.EventService/ReserveTickets",
    "grpc.health.v1.Health/Check",
)


@dataclass(frozen=True)
class Asked:
    """One request that has ended."""

    path: str  # as the client sent it, such as "/booking.BookingService/GetBooking", or whatever it likes
    code: grpc.StatusCode | int
    user_id: str
    event_id: str
    peer: str  # such as "ipv4:10.0.0.7:51200"


def labels_of(asked: Asked) -> dict[str, str]:
    """Label names and values; the values come from sets that no client can add to."""
    ### BEGIN SOLUTION 4.4
    by_path = {f"/{method}": method for method in METHODS}
    names = {code.value[0]: code.name for code in grpc.StatusCode}
    code = asked.code
    return {
        "method": by_path.get(asked.path, "other"),
        "code": code.name if isinstance(code, grpc.StatusCode) else names.get(code, "UNKNOWN"),
    }
    ### END SOLUTION


# %%
check("4.4")

# %% [markdown]
# ## 5. Asking Prometheus (12 min)
# Prometheus has kept what each service showed, second by second. Its language, **PromQL**, starts from the name of a
# series. Give it something to see first: eight buyers, in the background, for the next minutes.

# %% tags=["measured"]
background = asyncio.create_task(traffic(16_000, pause=0.2))
await asyncio.sleep(8)  # a few scrapes
prometheus.show("bookings_by_status")

# %% [markdown]
# That is the newest value of each series of this name. Braces choose some of them. `[20s]` after it takes all values of
# the last 20 seconds, and `rate` makes of them what a counter is for: how much it grew, a second.

# %% tags=["measured"]
prometheus.show('rate(grpc_requests_total{side="server", method=~"booking.*", code!="UNIMPLEMENTED"}[20s]) > 0')

# %% [markdown]
# `sum by (…)` puts series together and keeps only these labels. **First `rate`, then `sum`**: a counter that restarts
# is seen by `rate`, but in a sum of several counters its fall is hidden by the growth of the others, or taken for a
# restart of all of them. How do requests end, over all services?

# %% tags=["measured"]
prometheus.show('sum by (job, code) (rate(grpc_requests_total{side="server", method!~"grpc.*"}[20s])) > 0')

# %%
predict(
    "P4.5",
    "The booking service is killed under load and started again, so its counters fall to 0. What does a picture of "
    "`rate(grpc_requests_total[10s])` show at that moment?",
    a="a deep dip below zero",
    b="a dip, but never below zero",
    c="a huge spike: everything is counted again",
    choice="b",
)

# %% tags=["measured"]
stack["booking-service"].kill()
await asyncio.sleep(0.5)
stack["booking-service"].start()
await asyncio.sleep(12)
SERIES = f'grpc_requests_total{{side="server", method="{CREATE}"}}'
RATE = f"sum(rate({SERIES}[10s]))"
prometheus.draw(25, "requests", counter=f"sum({SERIES})")
prometheus.draw(25, "requests a second", rate=RATE)
if prometheus.there:
    lowest = sum(prometheus.ask(f"min_over_time({RATE}[25s:1s])").values())
    highest = sum(prometheus.ask(f"max_over_time({RATE}[25s:1s])").values())
    outcome("P4.5", "a" if lowest < 0 else "c" if highest > 500 else "b", f"{lowest:.0f} to {highest:.0f} a second")

# %% [markdown]
# A histogram is read the same way: `rate` of each bucket, summed over the replicas **by `le`**, and then the quantile.
# Never the other way round: the mean of two p99s is the p99 of nothing.

# %% tags=["measured"]
prometheus.show(
    "histogram_quantile(0.5, sum by (le) (rate(grpc_request_duration_seconds_bucket"
    f'{{side="server", method="{CREATE}"}}[20s])))'
)

# %% [markdown]
# **Your task 4.5, three questions.** Write them in PromQL, each over the **last five minutes**. Your expressions are
# given to the real Prometheus' own evaluator, with series of several replicas in which it is known what happened.
#
# - `REQUESTS`: how many requests a second did the services answer, by method? No label but `method`. They answer what
#   they count as `side="server"`; what one service asks of another is in its `side="client"`.
# - `FAULT_SHARE`: which share of all answered requests failed by the services' fault? One number, 1 is all of them. The
#   codes in `FAULTS` are faults; sold out or not found is a right answer.
# - `P99`: how long did CreateBooking take, p99 in seconds, for all replicas together? One number.
#
# The series are `grpc_requests_total` with `side`, `method`, `code`, and `grpc_request_duration_seconds_bucket` with
# `side`, `method`, `le`; each also has a `job` and an `instance`. They are scraped every 15 s. `hint("4.5")` helps.

# %%
CREATE_BOOKING = "booking.BookingService/CreateBooking"
FAULTS = "UNKNOWN|INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED|DATA_LOSS"  # for code=~"…"

### BEGIN SOLUTION 4.5
REQUESTS = 'sum by (method) (rate(grpc_requests_total{side="server"}[5m]))'
FAULT_SHARE = f"""
  sum(rate(grpc_requests_total{{side="server", code=~"{FAULTS}"}}[5m]))
/ sum(rate(grpc_requests_total{{side="server"}}[5m]))
"""
P99 = f"""
histogram_quantile(0.99, sum by (le) (
  rate(grpc_request_duration_seconds_bucket{{side="server", method="{CREATE_BOOKING}"}}[5m])
))
"""
### END SOLUTION

# %%
check("4.5")

# %% [markdown]
# ## 6. A panel that answers a question (7 min)
# **Grafana** draws what Prometheus answers. A dashboard is a JSON file; this system keeps four of them in git, under
# `phase4-observability/grafana/dashboards`, and Grafana reads them when it starts. Nobody clicks them together, so
# nobody loses them. Grafana itself needs Docker; here the workbook draws the first of them, from the same file and the
# same Prometheus:

# %% tags=["measured"]
from workbook.grafana import dashboard

if prometheus.there:
    dashboard("overview", stack["prometheus"].address, minutes=3)
else:
    prometheus.show("up")

# %% [markdown]
# A good panel answers one question, shows its unit, and draws the line at which one should worry. For a service three
# are enough, called **RED**: **r**ate, **e**rrors, **d**uration.

# %% [markdown]
# **Your task 4.6, a panel as code.** A dashboard that was clicked together is gone with the machine it was clicked on.
# So Grafana reads files: a panel is a dict, a dashboard is JSON. Write `panel(title, expression, unit, objective)`,
# which gives a panel of the type `timeseries`, and make `P99_PANEL` with it: how long bookings take, the p99, in
# seconds, with the objective of 0.25 s as a line.
#
# | in the dict | is |
# |---|---|
# | `type`, `title` | `"timeseries"`; what stands above it |
# | `datasource` | `{"type": "prometheus", "uid": "prometheus"}`. The uid is fixed when the source is provisioned |
# | `targets` | a list with one question: `refId` (`"A"`), `expr`, `legendFormat` (what the legend says; `{{method}}` puts a label in), `exemplar` (`True`: points that lead to traces) |
# | `fieldConfig` → `defaults` → `unit` | Grafana's name of the unit: `"s"` are seconds |
# | … → `thresholds` | `mode` is `"absolute"`; `steps` is a list of `color` and `value`: the first has the value `None`, the next begins at the objective |
# | … → `custom` → `thresholdsStyle` → `mode` | `"line"` draws them |
# | `gridPos` | `x`, `y`, `w`, `h`; a dashboard has 24 columns |
#
# The expression of `P99_PANEL` asks for one method at the server's side over all copies, from the buckets: they carry
# the exemplars. What Grafana would show as an empty panel, `check` says in words. `hint("4.6")` helps.

# %%
from typing import Any


def panel(title: str, expression: str, unit: str, objective: float) -> dict[str, Any]:
    """A time series of `expression`, with a line at the objective."""
    ### BEGIN SOLUTION 4.6
    target = {"refId": "A", "expr": expression, "legendFormat": "{{method}}", "exemplar": True}
    steps = [{"color": "green", "value": None}, {"color": "red", "value": objective}]
    defaults = {
        "unit": unit,
        "thresholds": {"mode": "absolute", "steps": steps},
        "custom": {"thresholdsStyle": {"mode": "line"}},
    }
    return {
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "targets": [target],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
    }
    ### END SOLUTION


### BEGIN SOLUTION 4.6
BOOKINGS_ONLY = 'side="server", method="booking.BookingService/CreateBooking"'
P99_PANEL = panel(
    "p99 of bookings",
    f"histogram_quantile(0.99, sum by (le, method) (rate(grpc_request_duration_seconds_bucket{{{BOOKINGS_ONLY}}}[5m])))",
    unit="s",
    objective=0.25,
)
### END SOLUTION


# %%
check("4.6")

# %% [markdown]
# Its drawing is Grafana's; the numbers are Prometheus', and those are here:

# %% tags=["measured"]
async with report_running(0.4, every=2, times=3):
    await asyncio.sleep(7)
prometheus.draw(
    30,
    "seconds",
    p99="histogram_quantile(0.99, sum by (le) (rate(grpc_request_duration_seconds_bucket"
    f'{{side="server", method="{CREATE}"}}[5s])))',
    objective="vector(0.25)",
)

# %% [markdown]
# The report is the step at the right. That it may show more than the lock's 0.4 s is section 3 again: 0.5 s to 1 s is
# one bucket, and inside it the quantile guesses. To see the same in Grafana, with your panel: run the cell below,
# start the stack with `docker compose up --wait`, and open the dashboard "Mine" at `http://localhost:3000`.

# %% tags=["uses-answer"]
import json

from workbook.phases import ROOT
from workbook.props.dashboard import dashboard_of

if not isinstance(P99_PANEL, dict):
    raise NotImplementedError('task 4.6 is not written yet: hint("4.6") helps')

MINE = ROOT / "notebooks" / "dashboards" / "mine.json"  # the compose stack shows Grafana this folder
MINE.parent.mkdir(exist_ok=True)
MINE.write_text(json.dumps(dashboard_of(P99_PANEL), indent=2))
print(MINE.relative_to(ROOT), "is written. Its panel, as Grafana reads it:\n")
print(json.dumps(dashboard_of(P99_PANEL)["panels"][0], indent=1)[:420], "…")

# %% [markdown]
# ## 7. An alert: who wakes up, and why (12 min)
# Nobody looks at dashboards at night. An **alert rule** is a query that should have no answer. Prometheus asks it again
# and again; when it has one, the alert is **pending**; when it has had one for as long as `for` says, the alert is
# **firing**, and Alertmanager tells somebody.
#
# Two mistakes are common. An alert on a **cause** ("CPU above 80 %") fires when nobody suffers, and keeps silent when
# somebody does. And an alert without patience wakes people for a hiccup. After a few of those nobody gets up any more.
#
# This system has fourteen. Six are on two promises to users, "99.5 % of requests do not fail by our fault" and "99 % of
# bookings take less than 0.25 s". They do not ask "is it bad now?" but "**how fast is the budget of the month
# burning?**": 14.4 or 6 times too fast wakes somebody, as fast as allowed waits until morning. (A system that has run
# for five minutes has no hour to look at. There one short outage sets off several of them.) The other eight watch the
# parts: is a service gone, do messages wait, is a law broken.

# %% [markdown]
# **Your task 4.7, an alert.** Write the text of a file of rules, as Prometheus reads it: one group with one alert,
# called `OutboxWaits`. It fires when the oldest message in the outbox has waited longer than 10 s, and has done so for
# 5 s. (The system's own `OutboxOld` is more patient. You want to see yours fire before the coffee is cold.)
#
# - The figure is `outbox_oldest_seconds`. Every copy of the booking service shows it; all of them together make one
#   alert.
# - A label `severity`: `page` or `ticket`.
# - Annotations: `summary`, a sentence with the value in it (`{{ $value | humanizeDuration }}`), and `runbook`, which
#   leads to the paragraph that says what to do: `phase4-observability/runbook.md#outboxold`.
#
# `check` gives it to promtool with outboxes that were made up: quiet ones, blips, one that nobody empties, two copies,
# a copy that dies. `hint("4.7")` helps.

# %%
### BEGIN SOLUTION 4.7
RULES = """
groups:
  - name: mine
    rules:
      - alert: OutboxWaits
        expr: max(outbox_oldest_seconds) > 10
        for: 5s
        labels:
          severity: page
        annotations:
          summary: "the oldest message has waited {{ $value | humanizeDuration }} for Kafka"
          runbook: phase4-observability/runbook.md#outboxold
"""
### END SOLUTION

# %%
check("4.7")

# %% [markdown]
# **Break it.** Your rule is a rule of this stack's Prometheus now. Kafka dies; bookings go on, and their messages wait
# in the outbox.

# %%
predict(
    "P4.6",
    "Kafka is killed at second 0. The rule says: older than 10 s, for 5 s. When does the alert fire?",
    a="at once",
    b="after about 15 s",
    c="after about 5 s",
    choice="b",
)

# %% tags=["measured", "uses-answer"]
from workbook.props.alert import FIRING, INACTIVE, install, until
from workbook.props.for_a_while import dead

if not prometheus.there:
    prometheus.show("up")
else:
    if not isinstance(RULES, str):
        raise NotImplementedError('task 4.7 is not written yet: hint("4.7") helps')
    await install(stack, RULES)
    began = time.monotonic()
    with dead(stack["kafka"]):
        seen = await until(stack, "OutboxWaits", FIRING)
        fired = time.monotonic() - began
        for at, state in seen:
            print(f"{at:5.1f} s  {state}")
    back = time.monotonic()
    await until(stack, "OutboxWaits", INACTIVE)
    print(f"Kafka is back; quiet again after {time.monotonic() - back:.1f} s")
    outcome("P4.6", "a" if fired < 3 else "c" if fired < 10 else "b", f"after {fired:.0f} s")
    prometheus.draw(40, "seconds", oldest_message="max(outbox_oldest_seconds)", threshold="vector(10)")

# %% [markdown]
# When Kafka was back, nobody had to do anything: the relay sent what waited, the oldest message was gone, and the alert
# went with it. That is the proof that an alert is on the right thing. It ends when the problem ends.
#
# **Why not alert on "Kafka is down"?** Then you would need one for the network to Kafka, one for a relay that hangs,
# one for a full disk. "Messages get old" sees all of them, and also those that nobody has thought of.

# %% tags=["measured"]
background.cancel()
with suppress(asyncio.CancelledError):
    await background
print("the buyers in the background have gone home")

# %% [markdown]
# ## 8. One booking, from end to end (7 min)
# Metrics say *that* something is slow. They cannot say *which* booking, nor *where* in it. A **trace** can. It is the
# story of one request: a tree of **spans**, each with a name, a beginning, an end, and the span that caused it.
#
# What holds it together is one line that travels with the request, W3C's `traceparent`: version, trace id, the id of
# the span that asks, and a flag that says whether this trace is kept. Make one, and book with it:

# %%
from workbook.traces.client import Traces, edges
from workbook.traces.waterfall import waterfall

traces = Traces(stack["traces"].address)


def traceparent() -> tuple[str, str]:
    """A new trace: its id, and what a caller sends along."""
    trace_id = secrets.token_hex(16)
    return trace_id, f"00-{trace_id}-{secrets.token_hex(8)}-01"


async def trace_of(trace_id: str, name: str = "INSERT counted") -> list[Any]:
    """Its spans, once one of this name has come and no more come: they leave each service in the background."""
    before: list[Any] = []
    async with asyncio.timeout(20):
        while True:
            spans = traces.trace(trace_id)
            if len(spans) == len(before) and any(span.name == name for span in spans):
                return spans
            before = spans
            await asyncio.sleep(0.7)


trace_id, header = traceparent()
code, seconds, booking_id = await book(metadata=[("traceparent", header)])
print(code, "traceparent:", "-".join(f"({len(part)})" for part in header.split("-")))

# %%
predict(
    "P4.7",
    "One booking: how many spans does its trace have, over all services, from the call to the count?",
    a="3: one a service",
    b="about a dozen",
    c="hundreds",
    choice="b",
)

# %% tags=["measured"]
spans = await trace_of(trace_id)
waterfall(spans, upto=60)
services = {span.service for span in spans}
size = "a" if len(spans) < 6 else "b" if len(spans) < 40 else "c"
outcome("P4.7", size, f"{len(spans)} spans in {len(services)} services")

# %% [markdown]
# Read it from the top. The booking service inserts a PENDING row, asks the event service for tickets, and commits
# CONFIRMED and the message together. The last three rows come later: the relay sends the message, the consumer counts
# it. They belong to the same trace, although the buyer had their answer long before.
#
# **Why not keep every trace?** Each span costs the service some time, and somebody the space. Here every trace is kept;
# in production one keeps a share (`OTEL_TRACES_SAMPLER_ARG`). The one who begins a trace decides, and all others follow
# the flag in `traceparent`. Else traces would have holes.
#
# ## 9. Where the thread breaks (10 min)
# A trace is one trace because everybody passes `traceparent` on. Let one not do it. This copy of the booking service is
# that of phase 3: it works, and it knows nothing of traces.

# %%
predict(
    "P4.8",
    "A booking through that copy, with a `traceparent`. What is there of it afterwards?",
    a="nothing at all",
    b="the caller's trace, without the booking service's spans",
    c="spans of the event service, in a trace that nobody asked for",
    choice="c",
)

# %% tags=["measured"]
from workbook.props.for_a_while import copy_of


def reservations() -> dict[str, Any]:
    """The event service's newest spans of ReserveTickets, by their ids."""
    spans = traces.spans(service="event-service", newest=1000)
    return {span.span_id: span for span in spans if span.name.endswith("/ReserveTickets")}


lost_id, header = traceparent()
wish = pb.CreateBookingRequest(user_id="ada", event_id=event_id, ticket_count=1, idempotency_key=uuid.uuid4().hex)
before = reservations()
with copy_of(stack, "booking-service", program="phase3") as deaf:
    async with grpc.aio.insecure_channel(deaf.address) as channel:
        stub = booking_pb2_grpc.BookingServiceStub(channel)
        await stub.CreateBooking(wish, timeout=5, metadata=[("traceparent", header)])
    async with asyncio.timeout(20):
        while not (after := reservations()).keys() - before:
            await asyncio.sleep(0.1)
pieces = [span for span_id, span in after.items() if span_id not in before]
kept_of_it = traces.trace(lost_id)
print("in the caller's trace:", len(kept_of_it), "spans; elsewhere:")
for parent, child in sorted(edges(pieces)):
    print(f"{parent or '(nobody)'} → {child}")
outcome(
    "P4.8",
    "b" if kept_of_it else "c" if pieces else "a",
    "its first span has no parent; the message has no trace, either",
)

# %% [markdown]
# That is how one finds it: **a span without a parent, where one should be**. The service that broke the thread is not
# the one that shows it, but the one before. `signals.toml` of this phase lists who calls whom, and a test holds the
# spans of real bookings against it.
#
# Calls carry the context in their metadata. A message on Kafka has headers. The one who writes the row into the outbox
# may be dead when the message is sent, so the row carries the `traceparent`, the message's header takes it over, and
# the consumer goes on from there. Both ends are a few lines:

# %% [markdown]
# **Your task 4.8, a trace in the headers.** Two functions carry a trace through Kafka. A message's headers are a list
# of pairs, name and value; a name is a `str`, a value is `bytes` or None.
#
# `headers_of(context, headers)` gives the headers of a message that is sent on behalf of `context`: those it had, in
# their order, and a `traceparent` that says the context's `trace_id`, `span_id` and `trace_flags`. One that was there
# before is replaced. Without a trace (`context.is_valid` is false) nothing is added.
#
# `parent_of(headers)` gives the context that a message came with, as a `SpanContext` with `is_remote=True`; None when
# there is none that can be read. It never raises: anybody may write to a topic. The last `traceparent` counts. W3C's
# rules, shortened:
#
# | part | is |
# |---|---|
# | version | two digits; `00` is today's. Another one is read as if it were `00`, and may go on after a dash. `ff` is invalid |
# | trace id | 32 digits, not all of them 0 |
# | span id | 16 digits, not all of them 0 |
# | flags | two digits; the lowest bit is "sampled" |
#
# A digit is one of `0123456789abcdef`; a dash stands between two parts. `tracestate` is left aside. `hint("4.8")`
# helps.

# %%
import re
from collections.abc import Sequence

from opentelemetry.trace import SpanContext, TraceFlags

Headers = Sequence[tuple[str, bytes | None]]


def headers_of(context: SpanContext, headers: Headers) -> Headers:
    """The headers of a message sent on behalf of `context`, as a new list."""
    ### BEGIN SOLUTION 4.8
    others = [(name, value) for name, value in headers if name != "traceparent"]
    if not context.is_valid:
        return others
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return [*others, ("traceparent", traceparent.encode())]
    ### END SOLUTION


def parent_of(headers: Headers | None) -> SpanContext | None:
    """The context that a message came with; None when there is none that can be read."""
    ### BEGIN SOLUTION 4.8
    values = [value for name, value in headers or [] if name == "traceparent"]
    form = rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
    found = re.fullmatch(form, values[-1] or b"") if values else None
    if found is None:
        return None
    version, *parts, more = found.groups()
    if version == b"ff" or (version == b"00" and more):
        return None
    trace_id, span_id, flags = (int(part, 16) for part in parts)
    parent = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return parent if parent.is_valid else None
    ### END SOLUTION


# %%
check("4.8")

# %% [markdown]
# ## 10. Where the time went (9 min)
# Let the report run once more, and trace somebody who suffers. How does one find them? From a number to a request
# there is a bridge: buckets of the histogram carry an **exemplar**, the trace id of one request that fell into them.
# In Grafana it is a dot on the panel, and a click opens the trace.

# %% tags=["measured"]
from workbook.props.exemplars import exemplars

async with report_running(0.4, times=1):
    unlucky, header = traceparent()
    await book(metadata=[("traceparent", header)])
page_of_bookings = stack.metrics_address("booking-service")
slowest = next(each for each in exemplars(page_of_bookings, CREATE) if each.trace_id == unlucky)
print(f"an exemplar of the bucket le={slowest.le}: {1000 * slowest.seconds:.0f} ms, trace {slowest.trace_id}")
slow = await trace_of(slowest.trace_id)
waterfall(slow, upto=1.1 * 1000 * slowest.seconds)

# %% [markdown]
# Four bars are long, one inside the other. Three of them only wait for the next: `CreateBooking` for `ReserveTickets`,
# that for the event service, that for its statement. **What counts is the time that a span spent itself**, while none
# of those it caused was running.

# %% [markdown]
# **Your task 4.9, own time.** A trace is slow, and every span in it that waits for another one is slow with it. Who
# really took the time? `own_time(spans)` says of each span of a trace how many milliseconds it spent itself: those that
# none of its children covers. The answer is a dict, `span_id` → milliseconds; each span is in it.
#
# A span has `span_id`, `parent_id` (that of its cause), `start` and `end` in nanoseconds. Children may run at the same
# time. One may begin before its parent (two machines, two clocks) or end after it; only what lies inside the parent
# counts. One that begins when its parent has ended, as a message does, takes nothing away. `hint("4.9")` helps.

# %%
from workbook.traces.span import Span


def own_time(spans: list[Span]) -> dict[str, float]:
    """The milliseconds that each span spent itself, by its span_id."""
    ### BEGIN SOLUTION 4.9
    own = {}
    for span in spans:
        alone, upto = 0, span.start  # how far its line is covered
        children = [child for child in spans if child.parent_id == span.span_id]
        for child in sorted(children, key=lambda child: child.start):
            alone += max(0, min(child.start, span.end) - upto)
            upto = max(upto, child.end)
        own[span.span_id] = (alone + max(0, span.end - upto)) / 1e6
    return own
    ### END SOLUTION


# %%
check("4.9")

# %% tags=["measured"]
from workbook.props.own_time import own_time as own

mine = own(slow)
worst = sorted(slow, key=lambda span: -mine[span.span_id])[:3]
for span in worst:
    print(f"{mine[span.span_id]:7.1f} ms of its own, of {span.milliseconds:7.1f}   {span.service}: {span.name}")

# %% [markdown]
# `UPDATE events`. Not the booking service, not the network, not Kafka: one statement, which waits for a row. With
# metrics alone that would have been an afternoon.
#
# ## 11. From a line in the log to a trace (6 min)
# Logs say what a program wanted to say. Alone they are a heap: whose line is this? With a trace id in each line, they
# are one more way into the trace. Take the event service away, and cancel a booking. The tickets cannot be given back
# now; the service says so, and will do it later:

# %% tags=["measured"]
import json

from workbook.props.for_a_while import dead

cancelled_id, header = traceparent()
with dead(stack["event-service"]):
    cancel = pb.CancelBookingRequest(booking_id=booking_id)
    await bookings.CancelBooking(cancel, metadata=[("traceparent", header)], timeout=5)
log = stack["booking-service"].log.read_text().splitlines()
line = next(line for line in reversed(log) if cancelled_id in line)
print(line[:400])

# %% tags=["measured"]
waterfall(await trace_of(cancelled_id, "event.EventService/ReleaseTickets"))

# %% [markdown]
# The line has the `trace_id`, the trace has the ✗ at the call that failed. And telling must never hurt: what if the
# receiver of traces itself is gone?

# %%
predict(
    "P4.9",
    "The receiver of traces is killed. 200 bookings. What happens to them?",
    a="they fail",
    b="they work, but each waits until sending its spans has failed",
    c="they work as before; the spans are counted as lost",
    choice="c",
)

# %% tags=["measured"]
FAILED = 'trace_spans_total{outcome="failed"}'
with_receiver = await traffic(200)
stack["traces"].kill()
without = await traffic(200)
async with asyncio.timeout(20):
    while not (lost := figures(stack, "booking-service")[FAILED]):
        await asyncio.sleep(0.2)
stack["traces"].start()
for name, took in (("with it", with_receiver), ("without", without)):
    print(f"{name:8} {1000 * median(took):5.0f} ms, half of all bookings are quicker")
outcome("P4.9", "a" if len(without) < 200 else "b" if median(without) > 1 else "c", f"{lost:g} spans lost so far")

# %% [markdown]
# ## 12. The incident (14 min)
# **The incident.** It is night, and you are on call. Something in the running system is broken now; people book, about
# ten a second. `begin` draws one of eight causes, does it to the system, and looks at it from outside for six seconds,
# as Prometheus, the collector and the logs would. It does not say what it did.

# %% tags=["measured"]
from workbook.props.faults import Cause
from workbook.props.incident import begin

incident = begin(stack)
incident.figures()

# %% [markdown]
# A time is an average in milliseconds. `reserve_asked_ms` is the call of event-service as booking-service sees it, who
# asks; `reserve_answered_ms` is the same call as event-service sees it, who answers. A dash is a figure that nobody
# told. Here is the slowest booking, or one that failed:

# %% tags=["measured"]
incident.waterfall()

# %% [markdown]
# And here is what each has written since it began:

# %% tags=["measured"]
for name in ("booking-service", "event-service", "metrics-consumer"):
    print(f"{name}:")
    incident.log(name, lines=4)

# %% [markdown]
# The causes that there are:

# %%
for each in Cause:
    print(f"Cause.{each.name:20} {each}")

# %% [markdown]
# **Your task 4.10, the cause.** First say it to yourself: which of them is it, and which sign would speak against it?
# Then write down how you found it, so that the next one who is woken up need not think: `cause(evidence)` looks at
# `evidence.now` and `evidence.before` (the figures above, such as `evidence.now.outbox_oldest_seconds`), at
# `evidence.trace` (spans) and at `evidence.logs` (text by service), and gives a `Cause`.
#
# `check` asks it about the incident under way, then about two dozen that were recorded. Where it is wrong, it names a
# sign that speaks against the answer. A figure that nobody told is NaN: every comparison with it is false, also `==`.
# `hint("4.10")` helps.

# %%
from workbook.props.evidence import Evidence
from workbook.props.faults import Cause


def cause(evidence: Evidence) -> Cause:
    """What is wrong, by what can be seen from outside."""
    ### BEGIN SOLUTION 4.10
    now = evidence.now
    # One sign is enough:
    if not now.metrics_consumer_up:
        return Cause.CONSUMER_HANGS
    if now.dead_per_second > 0:
        return Cause.UNREADABLE
    # Messages stand still, before Kafka or behind it:
    if now.relays_that_lead == 0:
        return Cause.NOBODY_RELAYS
    if now.sent_per_second == 0:
        return Cause.KAFKA_FROZEN
    if now.counted_per_second == 0:
        return Cause.COUNTS_LOCKED
    # Bookings are slow. From outside to inside, where is the time lost?
    if now.reserve_asked_ms < now.create_booking_ms / 2:
        return Cause.BOOKINGS_LOCKED
    if now.reserve_answered_ms > now.reserve_asked_ms / 2:
        return Cause.ROW_LOCKED
    return Cause.EVENT_SERVICE_HANGS
    ### END SOLUTION


# %% tags=["measured"]
check("4.10")

# %% [markdown]
# Mend it, and see that it is mended. `begin(stack)` draws another one, as often as you like.

# %% tags=["measured"]
print("it was:", incident.end())

# %% tags=["measured", "uses-answer"]
again = begin(stack, before=1, during=3)
try:
    print("you say:", cause(again.evidence))
finally:
    print("it was: ", again.end())

# %% [markdown]
# ## 13. The whole phase, and your own (4 min)
# Ask from outside whether it works. The checklist of phase 4 books, and looks at the pages, the traces and, where one
# runs, at Prometheus. Here it runs against a fresh stack:

# %% tags=["measured"]
from rich.console import Console
from workbook.board import print_board
from workbook.checklist import run

from workbook.stack import LocalStack

with LocalStack(4, prometheus=prometheus.there) as fresh:
    parts = {name: fresh[name].address for name in ("booking-service", "event-service", "kafka", "traces")}
    if prometheus.there:
        parts["prometheus"] = fresh["prometheus"].address
    pages = {
        "metrics-consumer": "metrics-consumer",
        "booking-metrics": "booking-service",
        "event-metrics": "event-service",
    }
    parts |= {page: fresh.metrics_address(service) for page, service in pages.items()}
    target = ",".join(f"{name}={address}" for name, address in parts.items())
    seen_from_outside = await asyncio.to_thread(run, 4, target)
status = print_board(seen_from_outside, Console(force_jupyter=False, highlight=False, width=110))

# %% [markdown]
# A line with ○ was not run, and says what it needs. The same board judges your own services, in any language:
#
# ```console
# $ ./learn check 4 --restart ./kill-and-start.sh --target booking-service=127.0.0.1:50051,\
# event-service=127.0.0.1:50052,booking-metrics=127.0.0.1:9465,prometheus=127.0.0.1:9090,jaeger=127.0.0.1:16686
# ```
#
# ### In six lines
#
# 1. A mean hides those who suffer. Ask how many are slower than promised, and give the promise a bucket.
# 2. Count every way to end, the worst ones first: a bug, a caller that hung up, a deadline.
# 3. A label's values come from a closed set. Ids belong in traces and logs.
# 4. First `rate`, then `sum`; a quantile last.
# 5. Alert on what hurts, with some patience. It must end when the problem ends.
# 6. Pass `traceparent` on, through calls, rows and messages. A span without a parent shows who did not.
#
# ### Recall
# Answer each before you open it.
#
# <details><summary>1. A counter falls. What happened?</summary>
#
# Its process was started again. `rate` knows, and never goes below zero.
# </details>
#
# <details><summary>2. Why must a counter of errors be there before the first error?</summary>
#
# A step from 0 to 1 is seen. A series that begins at 1 has made no step.
# </details>
#
# <details><summary>3. The last bucket ends at 10 s. What is p99 of a service that hangs for a minute?</summary>
#
# 10 s. A histogram knows nothing beyond its last end.
# </details>
#
# <details><summary>4. Why is `user_id` no label?</summary>
#
# Each value is a series, for each other label, on each replica, for ever. And clients choose it.
# </details>
#
# <details><summary>5. Two replicas, each with a p99. What is the p99 of both?</summary>
#
# It cannot be worked out from the two. Add up their buckets, then read it.
# </details>
#
# <details><summary>6. What is wrong with an alert on CPU?</summary>
#
# It is a cause. It fires when nobody suffers, and sleeps when somebody does.
# </details>
#
# <details><summary>7. What does `for` buy, and what does it cost?</summary>
#
# Quiet during a hiccup; and that much time when it is none.
# </details>
#
# <details><summary>8. Four spans are long, one inside the other. Where is the time?</summary>
#
# In the one with the most time of its own; the others wait for it.
# </details>
#
# <details><summary>9. A span of the event service has no parent. Whom do you look at?</summary>
#
# At whoever called it: that one did not pass the context on.
# </details>
#
# <details><summary>10. The collector is dead. What do users notice?</summary>
#
# Nothing. Spans leave in the background, and are dropped when too many wait.
# </details>
#
# ### What this phase added

# %% tags=["measured"]
from workbook.phases import phase_folders

added = phase_folders()[4]
for part in ("telemetry", "phase4", "checklist", "tests"):
    files = [*(added / part).rglob("*.py")]
    lines = sum(len(path.read_text().splitlines()) for path in files)
    print(f"{added.name + '/' + part:36}{len(files):4} files {lines:6,} lines")

# %% [markdown]
# No file of phases 1 to 3 was changed for it: interceptors and ports were plugged in. Phase 5 puts the system where
# users can reach it: a gateway, people who log in, and Kubernetes.
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

prove(4)
