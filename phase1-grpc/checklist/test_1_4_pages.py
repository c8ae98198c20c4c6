"""1.4 CRUD operations work."""

import pytest
from checklist.bookings import Bookings

from workbook.checks.verdict import expect

SIZE = 2


@pytest.fixture(autouse=True)
def _paged(bookings: Bookings) -> None:
    bookings.needs("ListUserBookingsRequest", "page_size", "page_token")
    bookings.needs("ListUserBookingsResponse", "next_page_token")


def test_page_size(bookings: Bookings, user: str) -> None:
    """A page has as many bookings as asked for, and says whether there are more."""
    for _ in range(SIZE + 1):
        bookings.book(user)
    first = bookings.page(user, page_size=SIZE).ok()
    expect(
        len(first.bookings) == SIZE,
        f"ListUserBookings with page_size {SIZE} of {SIZE + 1} bookings answered {len(first.bookings)}",
        "answer at most page_size bookings: LIMIT $2",
    )
    expect(
        first.next_page_token,
        "ListUserBookings has a next page and answered an empty next_page_token",
        "fill it whenever there are more bookings",
    )
    last = bookings.page(user, page_size=SIZE, page_token=first.next_page_token).ok()
    expect(
        not last.next_page_token,
        "ListUserBookings answered a next_page_token on the last page",
        "leave it empty when nothing follows: read one row more than asked for, to know",
    )


def test_pages_stand_still(bookings: Bookings, user: str) -> None:
    """Pages have each booking once, also when someone books in between."""
    booked = [bookings.book(user).id for _ in range(2 * SIZE + 1)][::-1]
    seen, token = [], ""
    for _ in booked:
        page = bookings.page(user, page_size=SIZE, page_token=token).ok()
        seen += [booking.id for booking in page.bookings]
        token = page.next_page_token
        bookings.book(user)
        if not token:
            break
    repeated = len(seen) - len(set(seen))
    expect(
        not repeated,
        f"pages repeat {repeated} bookings when a new one is made between two pages",
        "let the token say behind which booking the next page starts; OFFSET counts rows that move",
    )
    expect(
        seen == booked,
        f"pages of {SIZE} showed {len(seen)} bookings, not all {len(booked)} that were there, newest first",
        "start each page right behind the last booking of the page before",
    )


def test_large_page(bookings: Bookings, user: str) -> None:
    """A page size beyond the limit is taken as the limit."""
    booked = bookings.book(user).id
    listed = [booking.id for booking in bookings.listed(user, page_size=2**31 - 1)]
    expect(listed == [booked], f"page_size 2147483647 listed {len(listed)} bookings of 1", "take it as your limit")
