"""What is counted, against what was booked; and the bookings that stand behind something else in Kafka."""

from collections.abc import Mapping, Sequence
from typing import Any

from checklist.bookings import Bookings
from checklist.client import Request
from checklist.messages import CANCELLED, CONTRACT, DEAD_LETTERS, Log
from checklist.page import Page, Series, series, told
from checklist.sales import is_sold, wish
from checklist.story import Story

from workbook.checks.verdict import expect, not_run

CONSUMER = "metrics-consumer"
CONFIRMED = series("bookings_total", status="confirmed")
CANCELLED_ONES = series("bookings_total", status="cancelled")
WITHDRAWN = series("bookings_cancelled_total", previous_status="confirmed")
SOLD, RETURNED = series("booking_tickets_sold_total"), series("booking_tickets_returned_total")
OF_TODAY, TICKETS_OF_TODAY = series("bookings_of_today", status="confirmed"), series("tickets_of_today")

BY_ID = "keep the ids of the messages you counted, in the transaction that counts them, and pass over those you know"

_AT_ONCE = 8
_ROUNDS = 8
_LARGEST = 10  # tickets in one booking


def tickets(bookings: Sequence[Any]) -> int:
    return sum(int(booking.ticket_count) for booking in bookings)


class Counting:
    """A consumer whose page can be read, and a story whose messages are right."""

    def __init__(self, page: Page, bookings: Bookings, story: Story, event_id: str) -> None:
        self.page = page
        self.bookings = bookings
        self.story = story
        self.log: Log = story.log
        self.patience = 2 * bookings.system.within
        self.topic = story.messages[0].topic
        self._event = event_id

    def expect(self, before: Mapping[Series, float], wanted: Mapping[Series, float], case: str, todo: str) -> None:
        """Wrong unless these figures grew by exactly as much; no verdict if they are not shown."""
        self.page.needs(*wanted)
        growth = self.page.grown(before, wanted, self.patience)
        for figure, by in wanted.items():
            said = f"{told(figure)} grew by {growth[figure]:g} {case}, not by {by:g}"
            expect(growth[figure] == by, said, todo)

    def book(self, count: int = 1) -> list[Any]:
        """Bookings of this moment, which join the story."""
        return self._made([wish(self._event, 1 + number % 3) for number in range(count)])

    def sell(self, event_id: str, count: int) -> list[Any]:
        """So many tickets of an event, in as few bookings as can be."""
        return self._made([wish(event_id, min(_LARGEST, count - sold)) for sold in range(0, count, _LARGEST)])

    def _made(self, wishes: list[Request]) -> list[Any]:
        answers = self.bookings.at_once("CreateBooking", wishes, f"with {len(wishes)} buyers at once")
        if not all(map(is_sold, answers)):
            not_run("needs a booking service that goes on booking, see checklist 2")
        made = [answer.message.booking for answer in answers]
        self.story.booked += made
        return made

    def book_behind(self, partitions: set[int]) -> list[Any]:
        """Bookings, until one's message stands behind whatever is in each of these partitions."""
        made: list[Any] = []
        for _ in range(_ROUNDS):
            some = self.book(_AT_ONCE)
            made += some
            self.log.until(lambda some=some: all(map(self.story.created, some)), self.patience)  # type: ignore[misc]
            if partitions <= {message.partition for each in made for message in self.story.created(each)}:
                break
        return made

    def refused(self) -> int:
        """How many bookings were told as CANCELLED that had never been CONFIRMED."""
        about = self.log.about(self.story.refused)
        return len({message.headers.get("message-id") for message in about if message.kind == CANCELLED})

    def needs_dead_letters(self) -> None:
        if DEAD_LETTERS not in self.log.partitions:
            not_run(f"needs the topic {DEAD_LETTERS}: {CONTRACT}")
