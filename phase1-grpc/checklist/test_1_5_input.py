"""1.5 Tests written: wrong input, retries and races do no harm."""

from collections.abc import Mapping

import pytest
from checklist.bookings import Bookings, Code

from workbook.checks.verdict import expect

REFUSED = (Code.INVALID_ARGUMENT, Code.OUT_OF_RANGE)
TOO_MANY = (*REFUSED, Code.RESOURCE_EXHAUSTED, Code.FAILED_PRECONDITION)
NO_SUCH_ID = (Code.INVALID_ARGUMENT, Code.NOT_FOUND)
SAY_INVALID = "answer INVALID_ARGUMENT and store nothing: check each field before anything else"
SAY_NO_SUCH_ID = "answer INVALID_ARGUMENT or NOT_FOUND: check the id's form before it reaches code that may fail"

NEVER_GIVEN_OUT = "not one of yours"
COUNTS: Mapping[str, int] = {str(count): count for count in (0, -1, -(2**31), 2**31 - 1)}
NAMES: Mapping[str, str] = {
    "empty": "",
    "blank": "   ",
    "5000 characters": "u" * 5000,
    "a NUL inside": "check\0name",
    "a line break inside": "check\nname",
}
IDS: Mapping[str, str] = {
    "empty": "",
    "a word": "nonsense",
    "a negative number": "-1",
    "5000 digits": "9" * 5000,
    "a NUL": "\0",
    "a quote": "' OR '1'='1",
}


@pytest.mark.parametrize("count", COUNTS)
def test_ticket_count(bookings: Bookings, user: str, count: str) -> None:
    """A wrong ticket_count is refused."""
    answer = bookings.create(user, f"with ticket_count {count}", ticket_count=COUNTS[count])
    answer.refused(*(TOO_MANY if COUNTS[count] > 0 else REFUSED), todo=SAY_INVALID)
    listed = bookings.page(user)  # NOT_FOUND for a user without bookings is no harm here
    stored = listed.code is Code.OK and any(booking.user_id == user for booking in listed.message.bookings)
    expect(not stored, f"{answer.call} was refused and stored a booking all the same", SAY_INVALID)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["user_id", "event_id"])
def test_names(bookings: Bookings, user: str, field: str, name: str) -> None:
    """A wrong user_id or event_id is refused."""
    wish = {"user_id": user, "event_id": bookings.new_event(), "ticket_count": 1, field: NAMES[name]}
    bookings.call("CreateBooking", f"with {field} {name}", **wish).refused(*REFUSED, todo=SAY_INVALID)


@pytest.mark.parametrize("form", IDS)
def test_get_malformed(bookings: Bookings, form: str) -> None:
    """GetBooking refuses what is no id."""
    bookings.get(IDS[form], f"of a malformed id ({form})").refused(*NO_SUCH_ID, todo=SAY_NO_SUCH_ID)


@pytest.mark.parametrize("form", IDS)
def test_cancel_malformed(bookings: Bookings, form: str) -> None:
    """CancelBooking refuses what is no id."""
    answer = bookings.cancel(IDS[form], f"of a malformed id ({form})")
    if answer.code is Code.OK:  # the roadmap's answer can also say no by success = false
        expect(not answer.message.success, f"{answer.call} answered success", SAY_NO_SUCH_ID)
    else:
        answer.refused(*NO_SUCH_ID, todo=SAY_NO_SUCH_ID)


@pytest.mark.parametrize("name", ["empty", "a NUL inside", "a quote"])
def test_list_of_no_user(bookings: Bookings, user: str, name: str) -> None:
    """ListUserBookings of what is no user gives nobody's bookings away."""
    bookings.book(user)
    answer = bookings.page({**NAMES, **IDS}[name], f"with user_id {name}")
    if answer.code is Code.OK:
        expect(
            not answer.message.bookings,
            f"{answer.call} answered {len(answer.message.bookings)} bookings",
            "answer INVALID_ARGUMENT, and hand values to SQL as parameters only",
        )
    else:
        answer.refused(*NO_SUCH_ID, todo="answer INVALID_ARGUMENT, or OK with an empty list")


def test_page_token(bookings: Bookings, user: str) -> None:
    """A page token that was never given out is refused."""
    bookings.needs("ListUserBookingsRequest", "page_token")
    answer = bookings.page(user, "with a page_token it never gave out", page_token=NEVER_GIVEN_OUT)
    answer.refused(
        *REFUSED, Code.NOT_FOUND, todo="answer INVALID_ARGUMENT: page one again would send clients in circles"
    )
