"""One connected trace from the caller to the count of the message, through real processes; and what breaks it."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest
from messaging.topics import make_topics
from opentelemetry.trace import Span
from telemetry import client, messages, spans
from telemetry.app import observed_bookings, observed_events, observed_metrics
from tests.customer import customer, new_event

from tests.signals import TABLE
from tests.waiting import until_async
from workbook.postgres import connect
from workbook.stack import LocalStack
from workbook.traces.client import Edges, Traces, edges

CREATE = "booking.BookingService/CreateBooking"
RESERVE = "event.EventService/ReserveTickets"
BOOKING, EVENT, METRICS = "booking-service", "event-service", "metrics-consumer"
CALLER = f"customer: {CREATE}"
WHOLE: Edges = {("", "customer: buys"), ("customer: buys", CALLER)} | {
    (CALLER if above == "caller" else above, below) for above, below in TABLE["traces"]["confirmed"]["edges"]
}


async def whole(collector: Traces, trace_id: str) -> None:
    """Returns once every span of a booking's trace is there; fails with what is missing, or should not be there."""

    async def complete() -> bool:
        return edges(collector.trace(trace_id)) == WHOLE

    try:
        await until_async(complete)
    except AssertionError:
        found = edges(collector.trace(trace_id))
        raise AssertionError(f"missing: {WHOLE - found}; too much: {found - WHOLE}") from None


async def test_a_booking_is_one_trace(stack: LocalStack, collector: Traces) -> None:
    event_id = await new_event(stack[EVENT].address)
    async with customer(stack[BOOKING].address, collector.endpoint) as ada:
        booking, trace_id = await ada.books(event_id)
        await whole(collector, trace_id)
        cancelled = await ada.cancels(booking.id)

        async def counted() -> bool:
            end = (f"{METRICS}: process bookings", f"{METRICS}: INSERT counted")
            return end in edges(collector.trace(cancelled))

        await until_async(counted)
    (asked,) = [span for span in collector.trace(trace_id) if (span.service, span.name) == (BOOKING, CREATE)]
    assert asked.attributes["booking.id"] == booking.id


async def test_those_who_share_a_statement_have_it_in_each_of_their_traces(
    stack: LocalStack, collector: Traces
) -> None:
    """They come at once, so that claims, tickets and confirmations are written together."""
    event_id = await new_event(stack[EVENT].address)
    async with customer(stack[BOOKING].address, collector.endpoint) as ada:
        booked = await asyncio.gather(*(ada.books(event_id) for _ in range(30)))
        for _, trace_id in booked:
            await until_async(lambda trace_id=trace_id: _has_all(collector, trace_id))  # type: ignore[misc]
    spans = collector.spans(newest=10_000)
    assert max(span.attributes.get("db.operation.batch.size", 1) for span in spans) > 1


async def _has_all(collector: Traces, trace_id: str) -> bool:
    # A group of wishes for one event is looked at first, and then served.
    return edges(collector.trace(trace_id)) >= WHOLE - {(f"{EVENT}: {RESERVE}", f"{EVENT}: UPDATE events")}


async def test_a_message_that_had_to_wait_has_the_same_trace(stack: LocalStack, collector: Traces) -> None:
    """However often it is tried in vain: else each outage would fill the store of traces."""
    event_id, log = await new_event(stack[EVENT].address), stack[METRICS].log

    async def tried_twice() -> bool:
        return log.read_text().count("messages wait") >= before + 2

    with connect(stack["postgres"].address, "metrics_db") as database:
        before = log.read_text().count("messages wait")
        with database.transaction():
            database.execute("LOCK TABLE counted")
            async with customer(stack[BOOKING].address, collector.endpoint) as ada:
                _, trace_id = await ada.books(event_id)
            await until_async(tried_twice)
    await whole(collector, trace_id)


async def test_nothing_else_begins_a_trace(stack: LocalStack, collector: Traces) -> None:
    """Health checks, recovery, relay and scrapes look into the database all the time: nobody asked for a trace."""
    async with customer(stack[BOOKING].address, collector.endpoint) as ada:
        _, trace_id = await ada.books(await new_event(stack[EVENT].address))
        await whole(collector, trace_id)
    roots = {below for above, below in edges(collector.spans(newest=10_000)) if not above}
    recovery = f"{BOOKING}: event.EventService/ReleaseTickets"
    assert roots <= {"customer: buys", "customer: regrets", f"{EVENT}: event.EventService/CreateEvent", recovery}


async def test_the_log_names_the_trace(stack: LocalStack, collector: Traces) -> None:
    """What went wrong in a request is found by its trace: here a ticket that cannot be given back."""
    async with customer(stack[BOOKING].address, collector.endpoint) as ada:
        booking, _ = await ada.books(await new_event(stack[EVENT].address))
        stack[EVENT].stop()
        trace_id = await ada.cancels(booking.id)
        stack[EVENT].start()
    lines = [json.loads(line) for line in stack[BOOKING].log.read_text().splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines if line.get("trace_id") == trace_id] == ["release put off"]


# The controls


def _nothing_carried(details: grpc.aio.ClientCallDetails, _span: Span) -> grpc.aio.ClientCallDetails:
    return details


HOPS: dict[str, tuple[Any, str, Callable[..., Any], tuple[str, str]]] = {
    "in metadata": (client, "carrying", _nothing_carried, (f"{BOOKING}: {RESERVE}", f"{EVENT}: {RESERVE}")),
    "out of metadata": (
        spans,
        "carried",
        lambda _pairs: spans.otel.Context(),
        (CALLER, f"{BOOKING}: {CREATE}"),
    ),
    "in the outbox": (
        messages,
        "traceparent_of",
        lambda _span: "",
        (f"{BOOKING}: {CREATE}", f"{BOOKING}: send bookings"),
    ),
    "in the message": (
        messages,
        "carrier_of",
        lambda _span: {},
        (f"{BOOKING}: send bookings", f"{METRICS}: process bookings"),
    ),
}


@asynccontextmanager
async def in_process(stack: LocalStack) -> AsyncIterator[tuple[str, str]]:
    """The services in this process, over the same databases; the addresses of the booking and the event service."""
    topic = f"bookings-{uuid.uuid4().hex}"
    own = {"grpc_port": 0, "metrics_port": 0, "bookings_topic": topic, "consumer_group": topic}
    await asyncio.to_thread(make_topics, _settings(stack, METRICS, own))
    async with AsyncExitStack() as services:
        events = await services.enter_async_context(observed_events(_settings(stack, EVENT, own)))
        own["event_address"] = f"127.0.0.1:{events.port}"
        bookings = await services.enter_async_context(observed_bookings(_settings(stack, BOOKING, own)))
        await services.enter_async_context(observed_metrics(_settings(stack, METRICS, own)))
        yield f"127.0.0.1:{bookings.server.port}", own["event_address"]


def _settings(stack: LocalStack, name: str, own: dict[str, Any]) -> Any:
    settings = stack.settings_of(name)
    return settings.model_copy(update={key: own[key] for key in own if key in type(settings).model_fields})


@pytest.mark.parametrize("hop", [None, *HOPS])
async def test_where_the_context_is_not_passed_on_the_trace_breaks(
    running: LocalStack, collector: Traces, hop: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (BOOKING, METRICS):
        running[name].stop()  # its relay would take this one's messages
    missing: Edges = set()
    if hop is not None:
        module, function, broken, edge = HOPS[hop]
        monkeypatch.setattr(module, function, broken)
        missing = {edge}
    async with in_process(running) as (bookings, events), customer(bookings, collector.endpoint) as ada:
        booking, trace_id = await ada.books(await new_event(events))
        await until_async(lambda: asyncio.to_thread(_counted, running, booking.id))
    found = {(_plain(above), _plain(below)) for above, below in edges(collector.trace(trace_id))}
    assert (found == WHOLE) is not bool(missing)
    assert not missing & found


def _plain(name: str) -> str:
    return re.sub("bookings-[0-9a-f]{32}", "bookings", name)  # its topic is this test's own


def _counted(stack: LocalStack, booking_id: str) -> bool:
    with connect(stack["postgres"].address, "metrics_db") as database:
        return database.execute("SELECT FROM counted WHERE booking_id = %s", [booking_id]).rowcount == 1
