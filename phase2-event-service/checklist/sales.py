"""What the checks of both services together share: codes, waiting, and a buyer's view of one event."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from checklist.bookings import Bookings
from checklist.client import Answer, Code, Request, fresh

NOT_TO_BE_HAD = (Code.FAILED_PRECONDITION, Code.RESOURCE_EXHAUSTED, Code.ABORTED)
TAKE_THEM = "take the tickets at the event service before the booking is CONFIRMED, exactly as many as are booked"


def wish(event_id: str, count: int, **more: Any) -> Request:
    """What a buyer of their own sends."""
    return {"user_id": fresh("user"), "event_id": event_id, "ticket_count": count, **more}


def is_sold(answer: Answer) -> bool:
    return answer.code is Code.OK and answer.message.booking.status != "CANCELLED"


def tickets_sold(wishes: Sequence[Request], answers: Sequence[Answer]) -> int:
    return sum(int(wish["ticket_count"]) for wish, answer in zip(wishes, answers, strict=True) if is_sold(answer))


def statuses(bookings: Bookings, user: str) -> list[str]:
    """The statuses of all bookings of a user; none for a user whom the server does not know."""
    answer = bookings.page(user)
    return [booking.status for booking in answer.message.bookings] if answer.code is Code.OK else []


def comes_true(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether `holds()` is true now or before `seconds` are over."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)  # what it asks costs the system some work
    return True
