"""What the pages counted, against what was done: pages as they were before and after, by name."""

from collections import Counter
from collections.abc import Mapping

from checklist.callers import Ended
from checklist.outcomes import METHODS, grown, of_method, requests, tells_codes
from checklist.page import Figures
from checklist.shown import BY_STATUS, TOTAL, growth, named

Pages = Mapping[str, Figures]

ALONE = "booking-metrics"  # whose service is called by the checks alone
STATUSES = ("pending", "confirmed", "cancelled")


def requests_grown(page: str, before: Pages, after: Pages) -> Counter[tuple[str, str]]:
    """By how many requests of each method and code a page's count grew; nothing where there is no such page."""
    if page not in after:
        return Counter()
    return grown(requests(before[page], METHODS[page]), requests(after[page], METHODS[page]))


def counts(page: str, found: int, wanted: int) -> bool:
    """Whether so many calls are what a page must have counted: the booking service, too, asks the event service."""
    return found == wanted if page == ALONE else found >= wanted


def all_counted(page: str, before: Pages, after: Pages, ended: Ended) -> bool:
    """Whether each call is there, by method and code as far as the page tells these."""
    found = requests_grown(page, before, after)
    if page not in after or all(counts(page, found[each], wanted) for each, wanted in ended.items()):
        return True
    if tells_codes(found):
        return False
    methods = {method for method, _ in ended}
    by_method = all(counts(page, of_method(found, method), of_method(ended, method)) for method in methods)
    return by_method or found["", ""] >= sum(ended.values())


def total_grown(before: Pages, after: Pages, wanted: int) -> float:
    """By how much bookings_total grew: its confirmed ones where it tells them apart, else whatever is as wanted."""
    found: list[float] = []
    for page, figures in after.items():
        by = growth(before[page], named(figures, TOTAL))
        confirmed = [value for (_, labels), value in by.items() if "confirmed" in _values(labels)]
        found += [sum(confirmed)] if confirmed else [sum(by.values()), *by.values()] if by else []
    return next((by for by in found if by == wanted), max(found, default=0))


def by_status(pages: Pages) -> Mapping[str, float]:
    """Bookings by status, as the first page that shows them has it."""
    for figures in pages.values():
        counted: Counter[str] = Counter()
        for (_, labels), value in named(figures, BY_STATUS).items():
            counted.update({status: int(value) for status in STATUSES if status in _values(labels)})
        if counted or named(figures, BY_STATUS):
            return counted
    return {}


def statuses_right(before: Pages, after: Pages, *, sold: int, cancelled: int, refused: int) -> bool:
    """Whether they changed as they must: how many there are, or how many there ever were, both are bookings by status.

    A booking that was refused may be kept as a cancelled one.
    """
    was, now = by_status(before), by_status(after)
    confirmed, withdrawn = (now.get(status, 0) - was.get(status, 0) for status in ("confirmed", "cancelled"))
    return confirmed in {sold, sold - cancelled} and cancelled <= withdrawn <= cancelled + refused


def _values(labels: tuple[tuple[str, str], ...]) -> set[str]:
    return {value.lower() for _, value in labels}
