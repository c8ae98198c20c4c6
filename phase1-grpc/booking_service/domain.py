"""What a booking is and how it may change. No wire, no database: plain Python that a test runs in microseconds."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from chassis.errors import AlreadyExists, InvalidArgument, NotFound
from chassis.fields import check_uuid

MAX_TICKETS = 10
MAX_REASON = 200
_NAME = re.compile(r"[A-Za-z0-9._:@-]{1,64}")
_KEY = re.compile(r"[!-~]{1,128}")


class Status(StrEnum):
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


MOVES: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.CONFIRMED, Status.CANCELLED}),
    Status.CONFIRMED: frozenset({Status.CANCELLED}),
    Status.CANCELLED: frozenset(),
}
"""The legal moves. A booking never goes backwards: what was cancelled stays cancelled."""


def origins(target: Status) -> list[Status]:
    """The statuses from which a booking may move to `target`."""
    return [status for status, targets in MOVES.items() if target in targets]


@dataclass(frozen=True, slots=True)
class NewBooking:
    """A wish for tickets. Making one checks every field; `key` is the idempotency key, None without one."""

    user_id: str
    event_id: str
    ticket_count: int
    key: str | None = None

    def __post_init__(self) -> None:
        check_name("user_id", self.user_id)
        check_name("event_id", self.event_id)
        if not 1 <= self.ticket_count <= MAX_TICKETS:
            raise InvalidArgument("ticket_count", f"must be 1 to {MAX_TICKETS}, not {self.ticket_count}")
        if self.key is not None and not _KEY.fullmatch(self.key):
            raise InvalidArgument("idempotency_key", "must be 1 to 128 visible ASCII characters")


@dataclass(frozen=True, slots=True)
class Booking:
    """`ticket_count` tickets of one event for one user. Times come from the database's clock."""

    id: uuid.UUID
    user_id: str
    event_id: str
    ticket_count: int
    status: Status
    reason: str
    key: str | None
    created_at: datetime
    updated_at: datetime

    def answers(self, wish: NewBooking) -> Self:
        """This booking, if it is what `wish` asks for; else its key was used for something else."""
        if (self.event_id, self.ticket_count) != (wish.event_id, wish.ticket_count):
            raise KeyReused(
                f"idempotency_key was already used for {self.ticket_count} tickets of {self.event_id}; use a new one"
            )
        return self


@dataclass(frozen=True, slots=True)
class Change:
    """A booking as a change left it, and the status it had before: None when it was made by it."""

    booking: Booking
    was: Status | None


class BookingNotFound(NotFound):
    reason = "BOOKING_NOT_FOUND"

    def __init__(self, booking_id: uuid.UUID) -> None:
        super().__init__(f"there is no booking {booking_id}")


class KeyReused(AlreadyExists):
    reason = "IDEMPOTENCY_KEY_REUSED"


def check_name(field: str, value: str) -> str:
    """`value` itself if it can name a user or an event; ids come from other services, so only their form is checked."""
    if not _NAME.fullmatch(value):
        raise InvalidArgument(field, "must be 1 to 64 letters, digits or . _ : @ -")
    return value


def check_booking_id(value: str) -> uuid.UUID:
    return check_uuid("booking_id", value)


def check_reason(value: str) -> str:
    if len(value) > MAX_REASON or not value.isprintable():
        raise InvalidArgument("reason", f"must be at most {MAX_REASON} printable characters")
    return value
