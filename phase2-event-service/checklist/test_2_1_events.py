"""2.1 Event Service works."""

import uuid

import pytest
from checklist import ledger
from checklist.client import Code, fresh
from checklist.events import CAPACITY, Events, description

from workbook.checks.verdict import expect

KINDS = ("concert", "match", "theatre")
READ_BACK = "store what was sent, and answer it"


@pytest.mark.parametrize("kind", KINDS)
def test_create(events: Events, kind: str) -> None:
    """A new event has an id, all its tickets, and is as it was described."""
    sent = description(kind=kind)
    event = events.call("CreateEvent", f"of a {kind}", **sent).ok().event
    expect(event.id, "CreateEvent answered an event with an empty id", "give each event an id of its own")
    for field in ("name", "kind", "venue", "capacity"):
        got = getattr(event, field)
        expect(got == sent[field], f"CreateEvent was sent {field} {sent[field]!r} and answered {got!r}", READ_BACK)
    expect(
        event.available_tickets == CAPACITY,
        f"a new event with {CAPACITY} tickets has {event.available_tickets} available",
        "a new event has all its tickets",
    )


def test_time(events: Events) -> None:
    """An event takes place when it was said to."""
    sent = description()
    event = events.get(events.call("CreateEvent", **sent).ok().event.id).ok().event
    off = event.starts_at.seconds - sent["starts_at"]["seconds"]
    expect(off == 0, f"starts_at is {off / 3600:+.1f} hours from what was sent", "a Timestamp is UTC: use timestamptz")


def test_ids_are_unique(events: Events) -> None:
    """The same description twice is two events."""
    sent = description()
    first, second = (events.call("CreateEvent", **sent).ok().event.id for _ in range(2))
    expect(first != second, f"CreateEvent gave the id {first!r} twice", "make each id anew, such as a UUID")


def test_get(events: Events) -> None:
    """GetEvent answers the event as it was made."""
    made = events.made()
    found = events.get(made.id).ok().event
    for field in ("id", "name", "kind", "venue"):
        wanted, got = getattr(made, field), getattr(found, field)
        expect(wanted == got, f"GetEvent answered {field} {got!r} for an event made with {wanted!r}", READ_BACK)
    ledger.created(events)


def test_get_unknown(events: Events) -> None:
    """GetEvent of an id nobody has is NOT_FOUND."""
    answer = events.get(str(uuid.uuid4()), "of an unknown id")
    answer.refused(Code.NOT_FOUND, Code.INVALID_ARGUMENT, todo="answer NOT_FOUND when no row has this id")


def test_update(events: Events) -> None:
    """UpdateEvent changes what is given, and nothing else."""
    events.needs_method("UpdateEvent")
    made = events.made()
    name = fresh("renamed")
    events.call("UpdateEvent", event_id=made.id, name=name).ok()
    found = events.get(made.id).ok().event
    expect(found.name == name, f"UpdateEvent to {name!r}, and GetEvent says {found.name!r}", "store the new value")
    for field in ("venue", "kind", "capacity", "available_tickets"):
        was, now = getattr(made, field), getattr(found, field)
        expect(was == now, f"UpdateEvent of the name made {field} {now!r}, it was {was!r}", "unset fields stay as is")


def test_delete(events: Events) -> None:
    """A deleted event is gone."""
    events.needs_method("DeleteEvent")
    made = events.made()
    events.call("DeleteEvent", event_id=made.id).ok()
    answer = events.get(made.id, "of a deleted event")
    answer.refused(Code.NOT_FOUND, todo="delete the row, and answer NOT_FOUND from then on")


def test_delete_reserved(events: Events) -> None:
    """An event with reserved tickets is not deleted."""
    events.needs_method("DeleteEvent", "ReserveTickets")
    made = events.made()
    events.reserve(made.id, 1).ok()
    answer = events.call("DeleteEvent", "of an event with a reserved ticket", event_id=made.id)
    answer.refused(Code.FAILED_PRECONDITION, todo="refuse: somebody holds a ticket of it")
    events.get(made.id, "whose deletion was refused").ok()
