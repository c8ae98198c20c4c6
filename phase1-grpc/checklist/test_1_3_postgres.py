"""1.3 PostgreSQL connection: what was booked stays booked."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from checklist.bookings import Bookings, Code, fresh

from workbook.checks.system import System
from workbook.checks.verdict import Wrong, expect, not_run

IN_FLIGHT = 128  # more than the 100 connections that PostgreSQL takes by default
WRITERS = 4
ENOUGH = 20  # bookings acknowledged before the kill
WRITE_TO_THE_DATABASE = "write it to PostgreSQL and commit before you answer"


@dataclass(frozen=True, slots=True)
class Restarted:
    """What was known before the server was killed under load: a user's bookings, and all that was acknowledged."""

    user: str
    before: Mapping[str, Any]
    listed: list[str]
    acknowledged: list[str]


@pytest.fixture(scope="module")
def restarted(system: System, bookings: Bookings) -> Restarted:
    system.needs_restart()
    user = fresh("user")
    booked = [bookings.book(user) for _ in range(3)]
    bookings.cancel(booked[0].id)
    answers = [bookings.get(booking.id) for booking in booked]  # what does not work without a restart fails in 1.4
    before = {answer.message.booking.id: answer.message.booking for answer in answers if answer.code is Code.OK}
    listed = [booking.id for booking in bookings.page(user).ok().bookings if booking.id in {made.id for made in booked}]
    return Restarted(user, before, listed, _killed_under_load(system, bookings))


def _killed_under_load(system: System, bookings: Bookings) -> list[str]:
    """The ids of all bookings that the server acknowledged while it was killed and started again."""
    acknowledged: list[str] = []
    user = fresh("user")
    over = threading.Event()

    def write() -> None:
        with bookings.elsewhere() as client:
            while not over.is_set():
                answer = client.attempt("CreateBooking", user_id=user, event_id=bookings.new_event(), ticket_count=1)
                if answer.code is Code.OK:
                    acknowledged.append(answer.message.booking.id)
                over.wait(0.05)  # bookings all the time are enough, there is no need for many

    with ThreadPoolExecutor(WRITERS) as writers:
        writing = [writers.submit(write) for _ in range(WRITERS)]
        try:
            _wait_for(acknowledged, ENOUGH, 4 * system.patience)
            system.restart("booking-service")
        finally:
            over.set()
        for writer in writing:
            writer.result()
    return acknowledged


def _wait_for(found: list[str], enough: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while len(found) < enough:
        if time.monotonic() > deadline:
            raise Wrong(
                f"{WRITERS} clients got {len(found)} bookings in {patience:g} s", "answer in time, also several at once"
            )
        time.sleep(0.01)


def test_another_connection(bookings: Bookings, user: str) -> None:
    """What one client booked, another one finds."""
    booked = bookings.book(user)
    with bookings.elsewhere() as another:
        found = another.get(booked.id, "over another connection").ok().booking
    expect(found.id == booked.id, f"GetBooking of {booked.id!r} answered {found.id!r}", WRITE_TO_THE_DATABASE)


def test_connection_pool(bookings: Bookings, user: str) -> None:
    """Many calls at once all get a database connection."""
    wishes = [{"user_id": user, "event_id": bookings.new_event(), "ticket_count": 1} for _ in range(IN_FLIGHT)]
    for answer in bookings.at_once("CreateBooking", wishes, f"with {IN_FLIGHT} calls in flight"):
        expect(
            answer.code is Code.OK,
            answer.told(),
            "let calls queue for a pool of few connections instead of opening one for each",
        )


def test_same_after_restart(bookings: Bookings, restarted: Restarted) -> None:
    """A killed server has the same bookings when it is back."""
    if not restarted.before:
        not_run("needs a GetBooking that works, see 1.4")
    for booking_id, before in restarted.before.items():
        answer = bookings.get(booking_id, "made before the server was killed")
        expect(answer.code is Code.OK, answer.told(), WRITE_TO_THE_DATABASE)
        for field in ("user_id", "event_id", "ticket_count"):
            _same(field, getattr(before, field), getattr(answer.message.booking, field))
        if before.status != "PENDING":  # a PENDING one may have been finished or given up meanwhile
            _same("status", before.status, answer.message.booking.status)


def test_listed_after_restart(bookings: Bookings, restarted: Restarted) -> None:
    """They are still in their user's list."""
    if not restarted.listed:
        not_run("needs a ListUserBookings that works, see 1.4")
    missing = set(restarted.listed) - {booking.id for booking in bookings.page(restarted.user).ok().bookings}
    expect(
        not missing,
        f"ListUserBookings lacks {len(missing)} of {len(restarted.listed)} bookings that it had before a kill",
        WRITE_TO_THE_DATABASE,
    )


def test_nothing_acknowledged_is_lost(bookings: Bookings, restarted: Restarted) -> None:
    """A booking that was acknowledged while the server was being killed is there."""
    all_of_them = restarted.acknowledged
    for start in range(0, len(all_of_them), IN_FLIGHT):
        requests = [{"booking_id": booking_id} for booking_id in all_of_them[start : start + IN_FLIGHT]]
        for answer in bookings.at_once("GetBooking", requests, "acknowledged around the time the server was killed"):
            expect(answer.code is Code.OK, answer.told(), WRITE_TO_THE_DATABASE)


def test_new_ids_after_restart(bookings: Bookings, restarted: Restarted) -> None:
    """After a restart, new bookings still get new ids."""
    earlier = set(bookings.given)
    later = {*restarted.acknowledged, *(bookings.book(restarted.user).id for _ in range(3))}
    twice = earlier & later
    expect(
        not twice,
        f"after a restart CreateBooking gave ids a second time, such as {min(twice, default='')!r}",
        "let the database make ids, or make UUIDs: a counter in memory starts anew",
    )


def _same(field: str, before: object, after: object) -> None:
    expect(
        before == after,
        f"{field} of a booking was {before!r} and is {after!r} after the server was killed",
        WRITE_TO_THE_DATABASE,
    )
