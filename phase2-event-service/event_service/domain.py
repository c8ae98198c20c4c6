"""What an event is, and what can be wrong with a wish for its tickets."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound

MAX_TEXT = 200
MAX_CAPACITY = 1_000_000
MAX_TICKETS = 10


class Kind(StrEnum):
    CONCERT = "concert"
    MATCH = "match"
    THEATRE = "theatre"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `available` tickets are neither reserved nor sold; times come from the database's clock."""

    id: uuid.UUID
    name: str
    kind: Kind
    starts_at: datetime
    time_zone: str
    venue: str
    capacity: int
    available: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as its organiser describes it. Making one checks every field."""

    name: str
    kind: str
    starts_at: datetime
    time_zone: str
    venue: str
    capacity: int

    def __post_init__(self) -> None:
        check_text("name", self.name)
        check_kind(self.kind)
        check_time_zone(self.time_zone)
        check_text("venue", self.venue)
        if not 1 <= self.capacity <= MAX_CAPACITY:
            raise InvalidArgument("capacity", f"must be 1 to {MAX_CAPACITY:,}, not {self.capacity}")


@dataclass(frozen=True, slots=True)
class EventChanges:
    """New values of an event's fields; None leaves a field as it was."""

    name: str | None = None
    kind: str | None = None
    starts_at: datetime | None = None
    time_zone: str | None = None
    venue: str | None = None

    def __post_init__(self) -> None:
        for check, value in ((check_kind, self.kind), (check_time_zone, self.time_zone)):
            if value is not None:
                check(value)
        for field in ("name", "venue"):
            if getattr(self, field) is not None:
                check_text(field, getattr(self, field))


@dataclass(frozen=True, slots=True)
class Wish:
    """Tickets that a booking wants. Making one checks the count."""

    booking_id: uuid.UUID
    event_id: uuid.UUID
    ticket_count: int

    def __post_init__(self) -> None:
        if not 1 <= self.ticket_count <= MAX_TICKETS:
            raise InvalidArgument("ticket_count", f"must be 1 to {MAX_TICKETS}, not {self.ticket_count}")


class EventNotFound(NotFound):
    reason = "EVENT_NOT_FOUND"

    def __init__(self, event_id: uuid.UUID) -> None:
        super().__init__(f"there is no event {event_id}")


class SoldOut(FailedPrecondition):
    reason = "SOLD_OUT"


class SalesClosed(FailedPrecondition):
    reason = "SALES_CLOSED"


class AlreadyReleased(FailedPrecondition):
    reason = "ALREADY_RELEASED"


class OtherReservation(FailedPrecondition):
    reason = "OTHER_RESERVATION"


class TicketsReserved(FailedPrecondition):
    reason = "TICKETS_RESERVED"


class CapacityTooLarge(FailedPrecondition):
    reason = "CAPACITY_TOO_LARGE"


class OperationReused(FailedPrecondition):
    reason = "OPERATION_REUSED"


def check_text(field: str, value: str) -> None:
    if not (1 <= len(value) <= MAX_TEXT and value.isprintable() and value.strip()):
        raise InvalidArgument(field, f"must be 1 to {MAX_TEXT} printable characters, not all blank")


def check_kind(value: str) -> None:
    if value not in set(Kind):
        raise InvalidArgument("kind", f"must be one of {', '.join(Kind)}")


def check_time_zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (LookupError, ValueError, OSError):  # unknown, malformed, a folder of the tz database
        raise InvalidArgument("time_zone", "must be a tz database name such as Europe/Istanbul") from None


def check_change(value: int) -> int:
    """`value` itself if an organiser may add or withdraw that many tickets."""
    if not 1 <= abs(value) <= MAX_CAPACITY:
        raise InvalidArgument("change", f"must be 1 to {MAX_CAPACITY:,} tickets to add, or to withdraw, not {value}")
    return value
