"""The event service over gRPC: its answers, bad input of every sort, watchers, and what they hear at its end."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import psycopg
import pytest
from event_service.app import event_app
from event_service.config import EventSettings
from event_service.proto import event_pb2 as pb
from event_service.proto.event_pb2_grpc import EventServiceStub
from event_service.watching import Watching
from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from event_service.proto.event_pb2_grpc import EventServiceAsyncStub

SOON = Timestamp()
SOON.FromDatetime(datetime.now(UTC) + timedelta(days=30))
GOOD: dict[str, Any] = {"name": "Jazz", "kind": "concert", "starts_at": SOON, "venue": "Babylon", "capacity": 10}
ID = str(uuid.UUID(int=7))


@pytest.fixture
async def stub(event_settings: EventSettings) -> AsyncIterator["EventServiceAsyncStub"]:
    async with (
        event_app(event_settings) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield EventServiceStub(channel)


async def code(call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    status: grpc.StatusCode = refusal.value.code()
    return status


async def test_an_event_lives_its_life(stub: "EventServiceAsyncStub") -> None:
    event = (await stub.CreateEvent(pb.CreateEventRequest(**GOOD, time_zone="Europe/Istanbul"))).event
    assert (await stub.GetEvent(pb.GetEventRequest(event_id=event.id))).event == event
    reserve = pb.ReserveTicketsRequest(booking_id=ID, event_id=event.id, ticket_count=4)
    assert (await stub.ReserveTickets(reserve)).available_tickets == 6
    assert (await stub.ReleaseTickets(pb.ReleaseTicketsRequest(booking_id=ID))).released
    changed = await stub.UpdateEvent(pb.UpdateEventRequest(event_id=event.id, name="Blues"))
    assert (changed.event.name, changed.event.venue) == ("Blues", "Babylon")
    more = pb.UpdateTicketsRequest(event_id=event.id, change=5, operation_id=ID)
    assert (await stub.UpdateAvailableTickets(more)).event.available_tickets == 15
    await stub.DeleteEvent(pb.DeleteEventRequest(event_id=event.id))
    assert await code(stub.GetEvent(pb.GetEventRequest(event_id=event.id))) is grpc.StatusCode.NOT_FOUND


async def test_events_are_listed_page_by_page(stub: "EventServiceAsyncStub") -> None:
    made = [(await stub.CreateEvent(pb.CreateEventRequest(**GOOD))).event.id for _ in range(5)]
    first = await stub.ListEvents(pb.ListEventsRequest(page_size=3))
    second = await stub.ListEvents(pb.ListEventsRequest(page_size=3, page_token=first.next_page_token))
    assert sorted(event.id for page in (first, second) for event in page.events) == sorted(made)
    assert not second.next_page_token


async def test_events_of_long_ago_have_pages_too(stub: "EventServiceAsyncStub") -> None:
    for year in (1, 1969):
        moment = Timestamp()
        moment.FromDatetime(datetime(year, 1, 2, tzinfo=UTC))
        await stub.CreateEvent(pb.CreateEventRequest(**{**GOOD, "starts_at": moment}))
    first = await stub.ListEvents(pb.ListEventsRequest(page_size=1))
    second = await stub.ListEvents(pb.ListEventsRequest(page_size=1, page_token=first.next_page_token))
    assert [event.starts_at.ToDatetime().year for page in (first, second) for event in page.events] == [1, 1969]


async def test_the_epoch_is_a_moment_too(stub: "EventServiceAsyncStub") -> None:
    """Its Timestamp is all zeros, as one that was not sent; only presence tells them apart."""
    made = (await stub.CreateEvent(pb.CreateEventRequest(**{**GOOD, "starts_at": Timestamp()}))).event
    for wanted, found in (
        (pb.ListEventsRequest(starts_from=Timestamp()), [made.id]),
        (pb.ListEventsRequest(starts_before=Timestamp()), []),
    ):
        assert [event.id for event in (await stub.ListEvents(wanted)).events] == found
    changes = pb.UpdateEventRequest(event_id=made.id, starts_at=Timestamp())
    assert (await stub.UpdateEvent(changes)).event.starts_at == Timestamp()


WRONG_EVENTS = [
    *({"name": name} for name in ("", "  ", "x" * 201, "a\0b", "a\nb")),
    *({"kind": kind} for kind in ("", "opera", "CONCERT")),
    *({"time_zone": zone} for zone in ("Mars/Base", "../etc", "Europe", "x" * 1000)),
    *({"venue": venue} for venue in ("", "\x7f", "x" * 201)),
    *({"capacity": capacity} for capacity in (0, -1, 1_000_001, 2**31 - 1)),
    *({"starts_at": moment} for moment in (None, Timestamp(seconds=2**62), Timestamp(seconds=1, nanos=-5))),
]


@pytest.mark.parametrize("wrong", WRONG_EVENTS, ids=str)
async def test_a_wrong_event_is_refused_and_nothing_changes(
    stub: "EventServiceAsyncStub", event_sql: psycopg.Connection, wrong: dict[str, Any]
) -> None:
    call = stub.CreateEvent(pb.CreateEventRequest(**{**GOOD, **wrong}))
    assert await code(call) is grpc.StatusCode.INVALID_ARGUMENT
    assert event_sql.execute("SELECT count(*) FROM events").fetchone() == (0,)


@pytest.mark.parametrize(
    ("method", "request_message"),
    [
        ("GetEvent", pb.GetEventRequest(event_id="x")),
        ("ListEvents", pb.ListEventsRequest(kind="opera")),
        ("ListEvents", pb.ListEventsRequest(venue="\0")),
        ("ListEvents", pb.ListEventsRequest(page_size=-1)),
        ("ListEvents", pb.ListEventsRequest(page_token="nonsense")),
        ("ListEvents", pb.ListEventsRequest(starts_from=Timestamp(seconds=2**62))),
        ("UpdateEvent", pb.UpdateEventRequest(event_id=ID, name="")),
        ("UpdateEvent", pb.UpdateEventRequest(event_id=ID, time_zone="Mars")),
        ("DeleteEvent", pb.DeleteEventRequest(event_id="")),
        ("UpdateAvailableTickets", pb.UpdateTicketsRequest(event_id=ID, change=0, operation_id=ID)),
        ("UpdateAvailableTickets", pb.UpdateTicketsRequest(event_id=ID, change=1, operation_id="")),
        ("ReserveTickets", pb.ReserveTicketsRequest(booking_id="", event_id=ID, ticket_count=1)),
        ("ReserveTickets", pb.ReserveTicketsRequest(booking_id=ID, event_id="e", ticket_count=1)),
        ("ReserveTickets", pb.ReserveTicketsRequest(booking_id=ID, event_id=ID, ticket_count=0)),
        ("ReserveTickets", pb.ReserveTicketsRequest(booking_id=ID, event_id=ID, ticket_count=2**31 - 1)),
        ("ReleaseTickets", pb.ReleaseTicketsRequest(booking_id="\n")),
    ],
    ids=str,
)
async def test_wrong_fields_are_refused(stub: "EventServiceAsyncStub", method: str, request_message: Any) -> None:
    assert await code(getattr(stub, method)(request_message)) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("change", [2**31 - 1, -(2**31)])
async def test_a_huge_change_is_refused(stub: "EventServiceAsyncStub", change: int) -> None:
    event = (await stub.CreateEvent(pb.CreateEventRequest(**GOOD))).event
    call = stub.UpdateAvailableTickets(pb.UpdateTicketsRequest(event_id=event.id, change=change, operation_id=ID))
    assert await code(call) in {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT}


async def test_a_watcher_sees_now_and_every_change(stub: "EventServiceAsyncStub") -> None:
    event = (await stub.CreateEvent(pb.CreateEventRequest(**GOOD))).event
    watch = stub.WatchAvailability(pb.WatchAvailabilityRequest(event_id=event.id), timeout=10)
    assert (await watch.read()).available_tickets == 10
    await stub.ReserveTickets(pb.ReserveTicketsRequest(booking_id=ID, event_id=event.id, ticket_count=4))
    assert (await watch.read()).available_tickets == 6
    watch.cancel()


async def test_a_watcher_of_a_deleted_event_is_told(stub: "EventServiceAsyncStub") -> None:
    event = (await stub.CreateEvent(pb.CreateEventRequest(**GOOD))).event
    watch = stub.WatchAvailability(pb.WatchAvailabilityRequest(event_id=event.id), timeout=10)
    await watch.read()
    await stub.DeleteEvent(pb.DeleteEventRequest(event_id=event.id))
    assert await code(watch.read()) is grpc.StatusCode.NOT_FOUND


async def test_a_hundred_watchers_hear_of_a_change(stub: "EventServiceAsyncStub") -> None:
    event = (await stub.CreateEvent(pb.CreateEventRequest(**GOOD))).event
    request = pb.WatchAvailabilityRequest(event_id=event.id)
    watches = [stub.WatchAvailability(request, timeout=20) for _ in range(100)]
    await asyncio.gather(*(watch.read() for watch in watches))
    await stub.ReserveTickets(pb.ReserveTicketsRequest(booking_id=ID, event_id=event.id, ticket_count=1))
    seen = await asyncio.gather(*(watch.read() for watch in watches))
    assert {answer.available_tickets for answer in seen} == {9}
    for watch in watches:
        watch.cancel()


async def told_when_stopped(settings: EventSettings) -> tuple[grpc.aio.AioRpcError, float]:
    """What a watcher is told when the service stops, and how many seconds the stop took."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(event_app(settings))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub: EventServiceAsyncStub = EventServiceStub(channel)
            event = (await stub.CreateEvent(pb.CreateEventRequest(**GOOD))).event
            watch = stub.WatchAvailability(pb.WatchAvailabilityRequest(event_id=event.id))
            await watch.read()
            began = time.monotonic()
            await stack.aclose()
            took = time.monotonic() - began
            with pytest.raises(grpc.aio.AioRpcError) as told:
                await watch.read()
    return told.value, took


async def test_a_stop_waits_for_no_watcher_and_tells_them(event_settings: EventSettings) -> None:
    told, took = await told_when_stopped(event_settings.model_copy(update={"stop_grace": 60}))
    assert told.code() is grpc.StatusCode.UNAVAILABLE
    assert told.details() == "this server stops; watch again"
    assert took < 30


async def test_watchers_who_are_told_nothing_take_all_of_the_grace(
    event_settings: EventSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""

    async def say_nothing(_watching: Watching) -> None:
        pass

    monkeypatch.setattr(Watching, "end", say_nothing)
    _, took = await told_when_stopped(event_settings.model_copy(update={"stop_grace": 1.5}))
    assert took > 1
