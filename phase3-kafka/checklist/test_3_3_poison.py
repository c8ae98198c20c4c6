"""3.3 Metrics Consumer consumes the events."""

from dataclasses import dataclass
from typing import Any

import pytest
from checklist.counting import CONFIRMED, SOLD, Counting, tickets
from checklist.message_contract import needs_headers
from checklist.messages import DEAD_LETTERS, Message
from checklist.page import Figures
from checklist.poison import poison

from workbook.checks.verdict import expect

GO_ON = "put what can never be counted into the dead letters, and go on with the next message"
NOTE = "add headers that say where it came from: origin-topic, origin-partition, origin-offset, and origin-error"


@dataclass(frozen=True, slots=True)
class Poisoned:
    """What was sent, as it stands in its topic; the bookings behind it; what the page showed before."""

    sent: list[Message]
    made: list[Any]
    before: Figures


@pytest.fixture(scope="module")
def poisoned(counting: Counting) -> Poisoned:
    needs_headers(counting.story)
    counting.needs_dead_letters()
    counting.page.needs(CONFIRMED, SOLD)
    before, partitions = counting.page.settled(), counting.log.partitions[counting.topic]
    like = counting.story.created(counting.story.booked[0])[0]
    sent = counting.log.send(poison(like, partitions))
    return Poisoned(sent, counting.book_behind(set(range(partitions))), before)


def test_goes_on(counting: Counting, poisoned: Poisoned) -> None:
    """A message that nobody can count stops no partition, and is not counted."""
    made = poisoned.made
    case = f"with {len(made)} bookings behind {len(poisoned.sent)} messages that nobody can count"
    counting.expect(poisoned.before, {CONFIRMED: len(made), SOLD: tickets(made)}, case, GO_ON)


def test_kept(counting: Counting, poisoned: Poisoned) -> None:
    """It is kept among the dead letters, byte for byte."""
    sent = {(message.key, message.value) for message in poisoned.sent}

    def kept() -> set[Any]:
        return sent & {(each.key, each.value) for each in counting.log.seen if each.topic == DEAD_LETTERS}

    counting.log.until(lambda: kept() == sent, counting.patience)
    lost = sent - kept()
    said = f"{len(lost)} of {len(sent)} are not in {DEAD_LETTERS} with their key and value"
    expect(not lost, f"{said}, such as {next(iter(lost))[1][:60]!r}" if lost else "", GO_ON)


def test_origin(counting: Counting, poisoned: Poisoned) -> None:
    """A dead letter says where it came from, and why."""
    letters = {each.value: each for each in counting.log.seen if each.topic == DEAD_LETTERS}
    for message in poisoned.sent:
        headers = letters[message.value].headers if message.value in letters else {}
        place = tuple(headers.get(f"origin-{name}") for name in ("topic", "partition", "offset"))
        wanted = (message.topic, str(message.partition), str(message.offset))
        said = f"the dead letter of {message.place} has origin-topic, -partition and -offset {place}"
        expect(place == wanted, said, NOTE)
        expect(headers.get("origin-error"), "a dead letter has no origin-error, or an empty one", NOTE)
