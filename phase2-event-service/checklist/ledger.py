"""What an event service promises about its tickets. Box 2.1 checks each; box 2.2 asks first whether all hold."""

import uuid
from collections.abc import Callable

from checklist.client import Answer, Code
from checklist.events import CAPACITY, Events

from workbook.checks.verdict import Wrong, expect

BUYERS = 20
BELOW_ZERO = (
    Code.FAILED_PRECONDITION,
    Code.INVALID_ARGUMENT,
    Code.OUT_OF_RANGE,
    Code.RESOURCE_EXHAUSTED,
    Code.ABORTED,
)
ONE_UPDATE = "let one statement decide: UPDATE … SET available = available - $1 WHERE id = $2 AND available >= $1"
ONE_ROW = "keep one row a booking id, made in the same statement that takes the tickets"
GIVE_BACK_ONCE = "mark the reservation released and give back in one statement, only if it was not marked before"


def created(events: Events) -> None:
    event = events.made()
    found = events.get(event.id).ok().event
    for field, wanted in (("id", event.id), ("capacity", CAPACITY), ("available_tickets", CAPACITY)):
        got = getattr(found, field)
        expect(got == wanted, f"GetEvent of a new event has {field} {got!r}, not {wanted!r}", "store it and read it")


def withdrawn_at_once(events: Events) -> None:
    """UpdateAvailableTickets, many at once, for more tickets than there are."""
    event = events.made()
    answers = _race(events, event.id, reserve=False)
    _no_more_than_there_were(events, event.id, answers, "withdrawn", 1)


def reserved(events: Events) -> None:
    event = events.made()
    told = events.reserve(event.id, 3).ok().available_tickets
    _left(events, event.id, CAPACITY - 3, "a reservation of 3", ONE_UPDATE)
    expect(
        told == CAPACITY - 3,
        f"ReserveTickets of 3 of {CAPACITY} answered available_tickets {told}",
        "answer what is left after it",
    )


def reserved_again(events: Events) -> None:
    event, booking = events.made(), str(uuid.uuid4())
    for case in ("", "again", "again"):
        events.reserve(event.id, 3, booking, case).ok()
    _left(events, event.id, CAPACITY - 3, "one booking's reservation of 3, sent three times", ONE_ROW)


def sold_out(events: Events) -> None:
    event = events.made()
    events.reserve(event.id, CAPACITY - 2).ok()
    answer = events.reserve(event.id, 3, case="of 3 when 2 are left")
    answer.refused(Code.FAILED_PRECONDITION, todo="answer FAILED_PRECONDITION: asking again does not help")
    _left(events, event.id, 2, "a refused reservation", "take all tickets or none")


def unknown_event(events: Events) -> None:
    answer = events.reserve(str(uuid.uuid4()), 1, case="of an unknown event")
    answer.refused(Code.NOT_FOUND, todo="answer NOT_FOUND when no event has this id")


def released(events: Events) -> None:
    event, booking = events.made(), str(uuid.uuid4())
    events.reserve(event.id, 3, booking).ok()
    answer = events.release(booking).ok()
    _left(events, event.id, CAPACITY, "a reservation and its release", "add the booking's tickets to what is available")
    expect(answer.released, "ReleaseTickets answered released = false the first time", "say true when it gave back")


def released_again(events: Events) -> None:
    event, booking = events.made(), str(uuid.uuid4())
    events.reserve(event.id, 5).ok()  # so that a second giving back would fit in
    events.reserve(event.id, 2, booking).ok()
    for case in ("", "again"):
        events.release(booking, case).ok()
    _left(events, event.id, CAPACITY - 5, "releasing one booking twice", GIVE_BACK_ONCE)


def reserved_at_once(events: Events) -> None:
    """Single tickets: as many are sold as there are. Mixed counts: no more than there are."""
    event, mixed = events.made(), events.made()
    singles = _race(events, event.id, reserve=True)
    _no_more_than_there_were(events, event.id, singles, "reserved", 1)
    requests = [
        {"booking_id": str(uuid.uuid4()), "event_id": mixed.id, "ticket_count": 1 + number % 3}
        for number in range(BUYERS)
    ]
    answers = events.at_once("ReserveTickets", requests, f"with {BUYERS} calls at once")
    sold = sum(
        int(str(request["ticket_count"]))
        for request, answer in zip(requests, answers, strict=True)
        if answer.code is Code.OK
    )
    _left(events, mixed.id, CAPACITY - sold, f"reserving {sold} tickets, {BUYERS} calls at once", ONE_UPDATE)


def reserved_by_one_at_once(events: Events) -> None:
    event = events.made()
    wish = {"booking_id": str(uuid.uuid4()), "event_id": event.id, "ticket_count": 1}
    for answer in events.at_once("ReserveTickets", [wish] * BUYERS, f"with {BUYERS} calls of one booking at once"):
        answer.ok()
    taken = CAPACITY - events.left(event.id)
    expect(taken == 1, f"{BUYERS} calls of one booking at once took {taken} tickets", ONE_ROW)


def released_at_once(events: Events) -> None:
    event, booking = events.made(), str(uuid.uuid4())
    events.reserve(event.id, CAPACITY - 2).ok()
    events.reserve(event.id, 1, booking).ok()
    events.at_once("ReleaseTickets", [{"booking_id": booking}] * BUYERS, f"with {BUYERS} calls of one booking at once")
    left = events.left(event.id)
    expect(left == 2, f"{BUYERS} releases at once of one ticket left {left} available, not 2", GIVE_BACK_ONCE)


OF_THE_ROADMAP: tuple[Callable[[Events], None], ...] = (created, withdrawn_at_once)
OF_RESERVATIONS: tuple[Callable[[Events], None], ...] = (
    *(reserved, reserved_again, sold_out, unknown_event),
    *(released, released_again, reserved_at_once, reserved_by_one_at_once, released_at_once),
)


def what_is_wrong(events: Events) -> str:
    """The first promise that is broken, "" if all hold that this server makes."""
    reserves = events.has("ReserveTicketsRequest", "booking_id") and events.has("ReleaseTicketsRequest", "booking_id")
    for promise in (*OF_THE_ROADMAP, *(OF_RESERVATIONS if reserves else ())):
        try:
            promise(events)
        except Wrong as wrong:
            return wrong.said
    return ""


def _race(events: Events, event_id: str, *, reserve: bool) -> list[Answer]:
    if reserve:
        one = [{"booking_id": str(uuid.uuid4()), "event_id": event_id, "ticket_count": 1} for _ in range(BUYERS)]
        return events.at_once("ReserveTickets", one, f"with {BUYERS} calls at once")
    known = events.has("UpdateTicketsRequest", "operation_id")
    changes = [
        {"event_id": event_id, "change": -1, **({"operation_id": str(uuid.uuid4())} if known else {})}
        for _ in range(BUYERS)
    ]
    return events.at_once("UpdateAvailableTickets", changes, f"with {BUYERS} calls at once")


def _no_more_than_there_were(events: Events, event_id: str, answers: list[Answer], what: str, each: int) -> None:
    for answer in answers:
        if answer.code is not Code.OK:
            answer.refused(*BELOW_ZERO, todo="refuse whom the tickets do not reach with FAILED_PRECONDITION")
    taken = each * sum(answer.code is Code.OK for answer in answers)
    expect(
        taken == CAPACITY, f"{BUYERS} calls at once, a ticket each, {what} {taken} tickets of {CAPACITY}", ONE_UPDATE
    )
    _left(events, event_id, 0, f"{BUYERS} calls at once for {CAPACITY} tickets", ONE_UPDATE)


def _left(events: Events, event_id: str, wanted: int, after: str, todo: str) -> None:
    left = events.left(event_id)
    expect(left == wanted, f"after {after}, {left} of {CAPACITY} tickets are available, not {wanted}", todo)
