"""2.2 Calls between services work."""

import uuid
from typing import TYPE_CHECKING

from checklist.bookings import Bookings
from checklist.events import Events
from checklist.sales import comes_true

from workbook.checks.system import System
from workbook.checks.verdict import expect

if TYPE_CHECKING:
    from invariants import Broken

AT_REST = 30  # seconds for recovery to put right what was cut off


def test_laws(system: System, bookings: Bookings, events: Events) -> None:
    """After all these checks, the laws I1 to I3 hold in both databases."""
    at_bookings, at_events = system.database(bookings.name), system.database(events.name)
    from invariants import broken_laws  # noqa: PLC0415 - it takes long to import, and most targets show no database

    for booking_id in events.reserved:  # ours, of no booking: to the laws they would be lost tickets
        events.release(booking_id)
    limit = getattr(at_bookings, "pending_limit", AT_REST)
    sold = [uuid.UUID(booking_id) for booking_id in bookings.given]
    found: list[Broken] = []

    def hold() -> bool:
        found[:] = broken_laws(at_bookings, at_events, acknowledged=sold, pending_limit=limit)
        return not found

    holds = comes_true(hold, AT_REST)
    told = "; ".join(f"{broken.law}: {broken.what}" for broken in found[:3])
    expect(holds, f"{len(found)} breaks of the laws, such as {told}", "see invariants/ for what each law says")
