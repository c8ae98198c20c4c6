"""2.1 Event Service works."""

import uuid

from checklist import ledger
from checklist.client import Code
from checklist.events import CAPACITY, Events

from workbook.checks.verdict import expect

ONCE = "remember the operation id in the same transaction as the change, and answer the event as it is"


def test_add(events: Events) -> None:
    """An organiser adds tickets, and withdraws some."""
    event = events.made()
    for change, wanted in ((5, CAPACITY + 5), (-3, CAPACITY + 2)):
        told = events.change(event.id, change, f"by {change:+}").ok().event.available_tickets
        left = events.left(event.id)
        expect(
            told == left == wanted,
            f"UpdateAvailableTickets by {change:+} answered {told} available, GetEvent says {left}, right is {wanted}",
            "add the change to what is available, and answer the event as it is then",
        )


def test_below_zero(events: Events) -> None:
    """No more tickets are withdrawn than are left."""
    event = events.made()
    answer = events.change(event.id, -CAPACITY - 1, f"by {-CAPACITY - 1} of {CAPACITY} tickets")
    answer.refused(*ledger.BELOW_ZERO, todo="refuse with FAILED_PRECONDITION, and CHECK (available >= 0)")
    left = events.left(event.id)
    expect(left == CAPACITY, f"a refused change left {left} of {CAPACITY} tickets", "change all or nothing")


def test_changes_at_once(events: Events) -> None:
    """Many who withdraw at once get no more tickets than there are, and all there are."""
    ledger.withdrawn_at_once(events)


def test_reserved_stay(events: Events) -> None:
    """Reserved tickets cannot be withdrawn."""
    events.needs_method("ReserveTickets")
    event = events.made()
    events.reserve(event.id, CAPACITY - 2).ok()
    answer = events.change(event.id, -3, "by -3 when 2 are not reserved")
    answer.refused(*ledger.BELOW_ZERO, todo="only what nobody has reserved can be withdrawn")


def test_operation_once(events: Events) -> None:
    """A change sent twice with one operation id is made once."""
    events.needs("UpdateTicketsRequest", "operation_id")
    event, operation = events.made(), str(uuid.uuid4())
    for case in ("", "again with the same operation_id"):
        events.change(event.id, 5, case, operation).ok()
    left = events.left(event.id)
    expect(left == CAPACITY + 5, f"+5 tickets sent twice with one operation_id added {left - CAPACITY}", ONCE)


def test_operation_of_one_change(events: Events) -> None:
    """An operation id that was used for another change is refused."""
    events.needs("UpdateTicketsRequest", "operation_id")
    event, operation = events.made(), str(uuid.uuid4())
    events.change(event.id, 5, operation=operation).ok()
    answer = events.change(event.id, 6, "with a used operation_id and another change", operation)
    todo = "refuse with FAILED_PRECONDITION: the caller must learn that this change was not made"
    answer.refused(Code.FAILED_PRECONDITION, Code.ALREADY_EXISTS, todo=todo)
