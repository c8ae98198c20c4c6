"""3.2 Event publishing works."""

import pytest
from checklist import publishing
from checklist.story import Story

from workbook.checks.verdict import not_run


def test_told(story: Story) -> None:
    """Each booking leads to a message on Kafka, many at once as well."""
    publishing.told_of(story)


def test_json(told: Story) -> None:
    """The message of a booking is a JSON object."""
    publishing.is_json(told)


@pytest.mark.parametrize("name", publishing.FIELDS)
def test_field(told: Story, name: str) -> None:
    """BookingCreatedEvent has the roadmap's field, of its type, and says what was booked."""
    publishing.has_field(told, name)


def test_once(told: Story) -> None:
    """Each booking leads to one message."""
    publishing.told_once(told)


def test_refused(told: Story) -> None:
    """A booking that is refused is not told as made."""
    publishing.refused_not_told(told)


def test_not_early(told: Story) -> None:
    """When the message is there, the booking is: nobody hears of what may never be."""
    publishing.not_told_early(told)


def test_retry(told: Story) -> None:
    """A retry with the same key leads to no second message."""
    if told.retried is None:
        not_run("needs idempotency_key in CreateBookingRequest: an addition to the roadmap, see proto/booking.proto")
    publishing.retried_once(told)
