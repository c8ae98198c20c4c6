"""3.3 Metrics Consumer consumes the events."""

from dataclasses import replace

import pytest
from checklist.counting import BY_ID, CONFIRMED, SOLD, Counting, tickets
from checklist.message_contract import needs_headers
from checklist.messages import Message
from checklist.poison import new_id

LEAVE_IT = "pass over a type you do not know: it is for others, or for a later version of yours"


@pytest.fixture
def known(counting: Counting) -> Counting:
    """A consumer that reads messages with ids, and counts them by this workbook's names."""
    needs_headers(counting.story)
    counting.page.needs(CONFIRMED, SOLD)
    return counting


def test_again(known: Counting) -> None:
    """A message that comes again, in its partition, is counted once."""
    message = _some(known)
    _counts_nothing_of(known, [message], "and one message that was sent again to its partition")


def test_again_elsewhere(known: Counting) -> None:
    """A message that comes again, in another partition, is counted once."""
    message, count = _some(known), known.log.partitions[known.topic]
    elsewhere = replace(message, partition=(message.partition + 1) % count)
    _counts_nothing_of(known, [elsewhere], "and one message that was sent again to another partition")


def test_unknown_type(known: Counting) -> None:
    """A message of a type that nobody knows yet is passed over."""
    message = _some(known)
    headers = {**message.headers, "type": "BookingMovedEvent", "message-id": new_id()}
    _counts_nothing_of(known, [replace(message, headers=headers)], "and a message of type BookingMovedEvent", LEAVE_IT)


def _some(known: Counting) -> Message:
    return known.story.created(known.story.booked[0])[0]


def _counts_nothing_of(known: Counting, messages: list[Message], case: str, todo: str = BY_ID) -> None:
    """Sends these, and bookings behind them: only the bookings may be counted."""
    before = known.page.settled()
    known.log.send(messages)
    made = known.book_behind({message.partition for message in messages})
    known.expect(before, {CONFIRMED: len(made), SOLD: tickets(made)}, f"with {len(made)} bookings {case}", todo)
