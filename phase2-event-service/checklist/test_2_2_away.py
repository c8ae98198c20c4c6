"""2.2 Calls between services work."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import pytest
from checklist.bookings import Bookings
from checklist.client import Answer, Code, Request, fresh
from checklist.events import CAPACITY, Events
from checklist.sales import comes_true, is_sold, wish

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

pytestmark = pytest.mark.usefixtures("_counts")

HUNG = 12  # buyers who wait for the event service while others want something else
Timed = tuple[Answer, float]


@dataclass(frozen=True, slots=True)
class Away:
    """What the booking service answered while the event service was paused, and how long each answer took.

    `limit` is how long each could take, `soon` how long it may take to be well again after that, in seconds.
    `request` was sent as one of the `buyers`; `booked` is a booking of before that was cancelled meanwhile.
    """

    limit: float
    soon: float
    request: Request
    buyers: list[Timed]
    reads: list[Timed]
    cancelled: Timed
    booked: str
    booked_event: str


@pytest.fixture(scope="module")
def away(system: System, bookings: Bookings, events: Events) -> Away:
    system.needs_pause()
    limit, user = 2 * system.patience, fresh("user")
    event, booked_event = events.made(), events.made()
    key = {"idempotency_key": fresh("key")} if "idempotency_key" in bookings.additions["CreateBookingRequest"] else {}
    wishes = [wish(event.id, 2, **key), *(wish(events.made().id, 1) for _ in range(HUNG - 1))]
    booked = bookings.book(user, event_id=booked_event.id, ticket_count=3).id
    reads: list[Timed] = []
    with system.paused("event-service"), ThreadPoolExecutor(HUNG) as pool:
        buyers = [pool.submit(bookings.patiently, "CreateBooking", limit, **request) for request in wishes]
        while wait(buyers, timeout=0.1).not_done:
            reads.append(bookings.patiently("GetBooking", limit, booking_id=booked))
            reads.append(bookings.patiently("ListUserBookings", limit, user_id=user))
        cancelled = bookings.patiently("CancelBooking", limit, booking_id=booked)
    answered = [buyer.result() for buyer in buyers]
    return Away(limit, 2 * system.within, wishes[0], answered, reads, cancelled, booked, booked_event.id)


def test_answers_in_time(away: Away) -> None:
    """While the event service does not answer, the booking service does, by a limit of its own."""
    for answer, seconds in (*away.buyers, away.cancelled):
        expect(
            seconds < 0.95 * away.limit,
            f"{answer.call} with the event service paused did not answer within {away.limit:g} s",
            "give each call to the event service a deadline shorter than your callers' patience",
        )


def test_promises_nothing(away: Away) -> None:
    """What the event service did not grant is not CONFIRMED."""
    for answer, _ in away.buyers:
        promised = answer.code is Code.OK and answer.message.booking.status == "CONFIRMED"
        expect(
            not promised,
            "CreateBooking with the event service paused answered CONFIRMED",
            "answer UNAVAILABLE: not knowing is no yes",
        )


def test_reads_go_on(away: Away) -> None:
    """While buyers wait for the event service, what needs no tickets is answered at once."""
    for answer, seconds in away.reads:
        case = f"{answer.call} while {HUNG} buyers wait for the event service"
        told = f"{case} answered {answer.code.name} after {seconds:.1f} s"
        todo = "hold no lock and no database connection while you wait for another service"
        expect(answer.code is Code.OK and seconds < away.limit / 4, told, todo)


def test_recovers(bookings: Bookings, events: Events, away: Away) -> None:
    """When the event service answers again, so does booking."""
    event = events.made()
    sells = comes_true(lambda: is_sold(bookings.attempt("CreateBooking", **wish(event.id, 1))), away.soon)
    told = f"CreateBooking still fails {away.soon:g} s after the event service answers again"
    expect(sells, told, "keep the channel: it connects again by itself")


def test_retry_after_it(bookings: Bookings, events: Events, away: Away) -> None:
    """A retry after that, with the same key, sells the tickets once, or not at all."""
    if "idempotency_key" not in away.request:
        not_run("needs idempotency_key in CreateBookingRequest: an addition to the roadmap, see proto/booking.proto")
    first, again = (bookings.attempt("CreateBooking", **away.request) for _ in range(2))
    wanted = CAPACITY - (2 if is_sold(first) else 0)
    right = comes_true(lambda: events.left(away.request["event_id"]) == wanted, away.soon)
    left = events.left(away.request["event_id"])
    told = f"after retries that answered {first.code.name} and {again.code.name}, {left} tickets are left, not {wanted}"
    expect(right, told, "reserve by booking id, so that the call that was cut off and its retry take the tickets once")


def test_cancelled_meanwhile(bookings: Bookings, events: Events, away: Away) -> None:
    """Tickets of a booking cancelled meanwhile come back."""
    answer, _ = away.cancelled
    if answer.code is not Code.OK or not answer.message.success:
        bookings.cancel(away.booked, "tried again").ok()
    back = comes_true(lambda: events.left(away.booked_event) == CAPACITY, 2 * away.soon)
    left = events.left(away.booked_event)
    told = f"a booking cancelled while the event service was paused never gave its tickets back: {left} of {CAPACITY}"
    expect(
        back,
        told,
        "remember what is to be given back and try until it is done, or answer UNAVAILABLE and change nothing",
    )
