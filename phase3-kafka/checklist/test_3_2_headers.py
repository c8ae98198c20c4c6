"""3.2 Event publishing works."""

import pytest
from checklist import message_contract
from checklist.messages import HEADERS
from checklist.story import Story


@pytest.fixture
def known(told: Story) -> Story:
    """A story whose messages are held to what this workbook adds."""
    message_contract.needs_headers(told)
    return told


def test_key(known: Story) -> None:
    """The key of each message is its booking's id."""
    message_contract.keyed(known)


@pytest.mark.parametrize("name", HEADERS)
def test_header(known: Story, name: str) -> None:
    """Each message has the header, and it is right."""
    message_contract.has_header(known, name)


def test_cancelled(known: Story) -> None:
    """A cancelled booking leads to one BookingCancelledEvent, though it is cancelled twice."""
    message_contract.cancellations_told(known)


def test_cancelled_fields(known: Story) -> None:
    """BookingCancelledEvent says which booking it was, and what it was before."""
    message_contract.cancellations_right(known)


def test_order(known: Story) -> None:
    """The messages of one booking are in one partition, in the order in which it happened."""
    message_contract.in_order(known)
