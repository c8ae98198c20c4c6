"""Points of the saga at which a service kills itself with SIGKILL, when it is told to.

A point is armed by a file of its name. Whoever reaches it first removes the file and takes the process down with it:
nothing is flushed, nobody is told.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from booking_saga.inventory import EventServiceInventory
from booking_service.domain import Status
from booking_service.postgres import PostgresBookings
from event_service.postgres import PostgresEvents

AT_BOOKINGS = [
    "before claim",
    "after claim",
    "before reserve",
    "after reserve",
    "before confirm",
    "after confirm",
]
AT_EVENTS = ["before set aside", "after set aside"]
OF_CANCELLING = {
    "booking-service": ["before cancel", "after cancel", "before release", "after release"],
    "event-service": ["before free", "after free"],
}
OF_RECOVERY = {
    "booking-service": ["before abandon", "after abandon", "before give back", "after give back"],
    "event-service": ["before free", "after free"],
}


def arm(folder: Path, point: str) -> None:
    (folder / point).touch()


def is_armed(folder: Path, point: str) -> bool:
    return (folder / point).exists()


def pierce(folder: Path) -> None:
    """Puts a point before and after each step of the saga, in both services."""
    around(PostgresBookings, "claim", folder, lambda *_, **__: "claim")
    around(PostgresBookings, "move", folder, _move)
    around(EventServiceInventory, "reserve", folder, lambda *_, **__: "reserve")
    around(EventServiceInventory, "release", folder, lambda *_, **__: "release")
    around(EventServiceInventory, "give_back", folder, lambda *_, **__: "give back")
    around(PostgresEvents, "reserve", folder, lambda *_, **__: "set aside")
    around(PostgresEvents, "release", folder, lambda *_, **__: "free")


def _move(_self: object, _booking_id: object, target: Status, *_: object, only_from: Status | None = None) -> str:
    if target is Status.CONFIRMED:
        return "confirm"
    return "cancel" if only_from is None else "abandon"


def around(owner: type, method: str, folder: Path, name: Callable[..., str]) -> None:
    plain = getattr(owner, method)

    async def pierced(*values: Any, **named: Any) -> Any:
        step = name(*values, **named)
        reached(folder / f"before {step}")
        result = await plain(*values, **named)
        reached(folder / f"after {step}")
        return result

    setattr(owner, method, pierced)


def reached(point: Path) -> None:
    try:
        point.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
