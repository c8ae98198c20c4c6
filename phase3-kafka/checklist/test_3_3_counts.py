"""3.3 Metrics Consumer consumes the events."""

from datetime import UTC, datetime

from checklist import counting as counted
from checklist.bookings import Bookings
from checklist.counting import CONSUMER, Counting, tickets
from checklist.events import Events
from checklist.page import Figures, Page, Series, told
from checklist.sales import comes_true

from workbook.checks.system import System
from workbook.checks.verdict import expect, not_run

EXACTLY = "count each message once: not each call, not each batch, and not what is no message about a booking"
BY_STATE = "add at BookingCreatedEvent, take away at BookingCancelledEvent of a CONFIRMED booking"
OFFSETS = "show the end of each partition minus the offset behind the last message you are done with"
MOST = 200  # tickets that a check may buy
GIVEN_BACK = 9


def test_page(system: System) -> None:
    """It shows figures to Prometheus."""
    figures = Page(system.address(CONSUMER), system.within).figures()
    expect(figures, "its page shows no figure", "register what you count, and show it")


def test_bookings(counting: Counting) -> None:
    """Its count of bookings grows by as many as were made."""
    before, made = _before(counting), len(counting.story.booked)
    if counted.CONFIRMED in counting.page.figures():
        counting.expect(before, {counted.CONFIRMED: made}, f"with {made} bookings", EXACTLY)
        return
    growth = counting.page.any_grown(before, made, counting.patience)
    said = ", ".join(f"{told(figure)} by {by:g}" for figure, by in list(growth.items())[:5]) or "none at all"
    expect(made in growth.values(), f"no figure grew by {made} with {made} bookings; grew: {said}", EXACTLY)


def test_tickets(counting: Counting) -> None:
    """Its counts of tickets grow by the tickets of these, and of those that were cancelled."""
    story = counting.story
    wanted: dict[Series, float] = {counted.SOLD: tickets(story.booked), counted.RETURNED: tickets(story.cancelled)}
    counting.expect(_before(counting), wanted, f"with {len(story.booked)} bookings of 1 to 6 tickets", EXACTLY)


def test_cancelled(counting: Counting) -> None:
    """Its counts of cancellations grow by those, and tell what was CONFIRMED before."""
    cancelled = len(counting.story.cancelled)
    wanted: dict[Series, float] = {
        counted.WITHDRAWN: cancelled,
        counted.CANCELLED_ONES: cancelled + counting.refused(),
    }
    counting.expect(_before(counting), wanted, f"with {cancelled} cancellations and a refusal", BY_STATE)


def test_today(counting: Counting) -> None:
    """Its figures of today are the bookings of today as they are now."""
    story = counting.story
    if {booking.created_at.ToDatetime().date() for booking in story.booked} != {datetime.now(UTC).date()}:
        not_run("needs a day (UTC) that does not end meanwhile")
    wanted: dict[Series, float] = {
        counted.OF_TODAY: len(story.booked) - len(story.cancelled),
        counted.TICKETS_OF_TODAY: tickets(story.booked) - tickets(story.cancelled),
    }
    case = f"with {len(story.booked)} bookings of which {len(story.cancelled)} were cancelled"
    counting.expect(_before(counting), wanted, case, BY_STATE)


def test_popular(counting: Counting, bookings: Bookings, events: Events) -> None:
    """An event that sells more than others is among its most popular ones, with what was not given back."""
    ranks = _ranks(counting.page.settled())
    if not ranks:
        not_run("needs popular_event_tickets, by rank: an addition to the roadmap")
    kept = next(count for count in range(int(min(ranks)) + 7, 10**9) if count not in ranks)
    if kept > MOST:
        not_run(f"needs {kept} tickets of one event to be sold: check a system with less in it")
    event = events.made(capacity=kept + GIVEN_BACK)
    counting.sell(event.id, kept)
    (returned,) = counting.sell(event.id, GIVEN_BACK)
    bookings.cancel(returned.id).ok()
    counting.story.cancelled.append(returned)
    shown = comes_true(lambda: kept in _ranks(counting.page.settled()), counting.patience)
    now = ", ".join(f"{count:g}" for count in _ranks(counting.page.figures()))
    said = f"an event sold {kept + GIVEN_BACK} tickets and got {GIVEN_BACK} back, and popular_event_tickets shows {now}"
    expect(shown, said, "sum by event what was booked and not cancelled, and show the largest sums")


def test_lag(counting: Counting) -> None:
    """Its lag is 0 when everything is counted."""
    if not _lags(counting.page.figures()):
        not_run("needs consumer_lag_messages, by partition: an addition to the roadmap")
    comes_true(lambda: not any(_lags(counting.page.figures())), counting.patience)
    behind = sum(_lags(counting.page.figures()))
    said = f"consumer_lag_messages is {behind:g} long after the last message was counted"
    expect(not behind, said, OFFSETS)


def _before(counting: Counting) -> Figures:
    return counting.story.before or {}


def _ranks(figures: Figures) -> list[float]:
    return [value for (name, _), value in figures.items() if name == "popular_event_tickets"]


def _lags(figures: Figures) -> list[float]:
    return [value for (name, _), value in figures.items() if name == "consumer_lag_messages"]
