"""The proof: what clients were told, against what the databases hold when everything has come to rest."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import psycopg
from chassis.settings import PostgresSettings
from invariants import Broken

from workbook.chaos.history import OK, REFUSED, WRONG, Call, History

LAWS = {
    "KEPT": "an acknowledged booking is there as it was asked for, and nobody but a client has cancelled it",
    "FORWARD": "what is seen of a booking only goes forward: PENDING, CONFIRMED, CANCELLED",
    "ONE KEY": "all answers to one key name one booking",
    "SUM": "an event's confirmed tickets are what its capacity lacks, and each change of its capacity counts once",
    "NO BUG": "nobody sees an error that is not in the contract",
}
RANK = {"PENDING": 0, "CONFIRMED": 1, "CANCELLED": 2}


@dataclass(frozen=True, slots=True)
class Stored:
    """A booking as its row says."""

    client: str
    key: str
    event: str
    tickets: int
    status: str


@dataclass
class Final:
    """The databases at rest; `events` has capacity and available tickets, `changes` the event and change of each."""

    bookings: dict[str, Stored] = field(default_factory=dict)
    events: dict[str, tuple[int, int]] = field(default_factory=dict)
    changes: dict[str, tuple[str, int]] = field(default_factory=dict)


def final(bookings: PostgresSettings, events: PostgresSettings) -> Final:
    """Reads both databases."""
    with _connect(bookings) as at_bookings, _connect(events) as at_events:
        rows = at_bookings.execute("SELECT id, user_id, idempotency_key, event_id, ticket_count, status FROM bookings")
        stored = {str(booking): Stored(*about) for booking, *about in rows}
        numbers = at_events.execute("SELECT id, capacity, available FROM events")
        changes = at_events.execute("SELECT operation_id, event_id, change FROM capacity_changes")
        return Final(
            stored,
            {str(event): (capacity, available) for event, capacity, available in numbers},
            {str(operation): (str(event), change) for operation, event, change in changes},
        )


def broken(history: History, end: Final, first_capacity: int) -> list[Broken]:
    """Every law that the history and the databases together break."""
    return [
        *_bugs(history),
        *_not_kept(history, end),
        *_backwards(history, end),
        *_doubled(history),
        *_unbalanced(history, end, first_capacity),
    ]


def acknowledged(history: History) -> set[uuid.UUID]:
    """The bookings that somebody was told are CONFIRMED."""
    return {uuid.UUID(call.booking) for call in history.calls if call.what == "book" and call.status == "CONFIRMED"}


def _bugs(history: History) -> Iterator[Broken]:
    for call in history.calls:
        if call.outcome == WRONG:
            yield Broken("NO BUG", f"{call.what} at {call.began:g} s was answered {call.reason}")


def _not_kept(history: History, end: Final) -> Iterator[Broken]:
    asked = {call.booking for call in history.calls if call.what == "cancel"}
    for call in history.calls:
        if call.what != "book" or call.status != "CONFIRMED":
            continue
        row = end.bookings.get(call.booking)
        wanted = Stored(f"client-{call.client}", call.key, call.event, call.tickets, "CONFIRMED")
        cancelled = replace(wanted, status="CANCELLED") if call.booking in asked else wanted
        if row not in {wanted, cancelled}:
            yield Broken("KEPT", f"{call.booking}, acknowledged at {call.ended:g} s, is {row}")


def _backwards(history: History, end: Final) -> Iterator[Broken]:
    of_booking: dict[str, list[Call]] = defaultdict(list)
    by_key = {(row.client, row.key): booking for booking, row in end.bookings.items()}
    for call in history.calls:
        booking = call.booking or by_key.get((f"client-{call.client}", call.key), "")
        if booking and _seen(call):
            of_booking[booking].append(call)
    for booking, calls in of_booking.items():
        row = end.bookings.get(booking)
        seen = [(call.began, call.ended, _seen(call)) for call in calls]
        if row is not None:
            seen.append((float("inf"), float("inf"), row.status))
        yield from _steps_back(booking, seen)


def _steps_back(booking: str, seen: list[tuple[float, float, str]]) -> Iterator[Broken]:
    """Of two that overlap nobody knows which was first; of two that do not, the later one must not show less."""
    for began, _, status in seen:
        before = [earlier for _, ended, earlier in seen if ended < began]
        furthest = max(before, key=RANK.__getitem__, default=status)
        if RANK[furthest] > RANK[status]:
            yield Broken("FORWARD", f"{booking} was {furthest}, and {status} after that")


def _seen(call: Call) -> str:
    """The status that the call has shown; a refusal to book has cancelled the booking."""
    refused = call.what == "book" and call.outcome == REFUSED
    return "CANCELLED" if refused else call.status


def _doubled(history: History) -> Iterator[Broken]:
    of_key: dict[tuple[int, str], set[str]] = defaultdict(set)
    for call in history.calls:
        if call.what == "book" and call.booking:
            of_key[call.client, call.key].add(call.booking)
    for (client, key), bookings in of_key.items():
        if len(bookings) > 1:
            yield Broken("ONE KEY", f"client {client} was told of {len(bookings)} bookings for its key {key}")


def _unbalanced(history: History, end: Final, first_capacity: int) -> Iterator[Broken]:
    confirmed: dict[str, int] = defaultdict(int)
    for row in end.bookings.values():
        confirmed[row.event] += row.tickets if row.status == "CONFIRMED" else 0
    for event, (capacity, available) in end.events.items():
        changes = sum(change for of_event, change in end.changes.values() if of_event == event)
        if confirmed[event] + available != capacity:
            yield Broken("SUM", f"{event}: {confirmed[event]} confirmed + {available} available, capacity {capacity}")
        if first_capacity + changes != capacity:
            yield Broken("SUM", f"{event}: capacity {capacity}, but {first_capacity} and changes of {changes:+}")
    for call in history.calls:
        if call.what == "add" and call.outcome == OK and call.key not in end.changes:
            yield Broken("SUM", f"{call.event}: the change {call.key} was acknowledged and is not there")


def _connect(settings: PostgresSettings) -> psycopg.Connection:
    return psycopg.connect(**settings.conninfo(), autocommit=True)  # type: ignore[arg-type]
