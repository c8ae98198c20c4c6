"""2.1 Event Service works."""

import uuid
from contextlib import suppress
from typing import Any

import grpc
import pytest
from checklist.client import Code
from checklist.events import CAPACITY, Events

from workbook.checks.verdict import Wrong, expect, not_run

END_IT = "end the stream with NOT_FOUND when the event is no longer there"


@pytest.fixture(autouse=True)
def _watching(events: Events) -> None:
    events.needs_method("WatchAvailability")


def _next(stream: Any, when: str) -> int:
    """The next number of the stream; Wrong if it ends or none comes."""
    try:
        return int(next(stream).available_tickets)
    except (StopIteration, grpc.RpcError):
        code = stream.code()
    if code is Code.UNIMPLEMENTED:
        not_run("needs WatchAvailability, see 2.1")
    said = "sent nothing" if code is Code.DEADLINE_EXCEEDED else f"ended with {code.name}"
    raise Wrong(f"WatchAvailability {said} {when}", "send the number at once, and again each time it changes")


def test_now(events: Events) -> None:
    """A watcher hears at once how many tickets are left."""
    event = events.made()
    with events.watched(event.id) as stream:
        told = _next(stream, "when it began")
    expect(
        told == CAPACITY, f"WatchAvailability began with {told} of {CAPACITY} tickets", "begin with what is left now"
    )


def test_changes(events: Events) -> None:
    """A watcher hears of each change, and so does the one beside it."""
    event = events.made()
    with events.watched(event.id) as one, events.watched(event.id) as another:
        for stream in (one, another):
            _next(stream, "when it began")
        events.change(event.id, 5).ok()
        for stream in (one, another):
            told = _next(stream, "when tickets were added")
            expect(
                told == CAPACITY + 5, f"after +5 WatchAvailability said {told}, not {CAPACITY + 5}", "send what is left"
            )


def test_deleted(events: Events) -> None:
    """A watcher of an event that is deleted is told so."""
    events.needs_method("DeleteEvent")
    event = events.made()
    with events.watched(event.id) as stream:
        _next(stream, "when it began")
        events.call("DeleteEvent", event_id=event.id).ok()
        try:
            next(stream, None)
        except grpc.RpcError:
            expect(
                stream.code() is not Code.DEADLINE_EXCEEDED,
                "WatchAvailability of a deleted event went on without a word",
                END_IT,
            )
        expect(not stream.is_active(), "WatchAvailability of a deleted event sent another number", END_IT)


def test_unknown(events: Events) -> None:
    """Watching an event that is not there is NOT_FOUND."""
    with events.watched(str(uuid.uuid4())) as stream:
        with suppress(grpc.RpcError):
            next(stream, None)
        code = stream.code() if not stream.is_active() else Code.OK
    expect(code is Code.NOT_FOUND, f"WatchAvailability of an unknown event answered {code.name}", "answer NOT_FOUND")
