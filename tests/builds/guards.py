"""The guards that keep the promise, and how each is switched off: what a test proves, it must be able to miss.

A guard in SQL is a piece of a statement, and for some a constraint of the table behind it. Both go.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from booking_saga import recovery
from booking_service import postgres as bookings
from chassis.grouping import Grouping
from event_service import reservations

Change = tuple[ModuleType, str, str, str]
"""A module, the name of its statement, a piece of it, and what stands there instead."""


class OneQueue:
    """In the place of Groupings: all wait in one queue, whatever their key."""

    def __init__(self, **_limits: int) -> None:
        self._queue = Grouping(largest=1)

    async def verdict(self, _key: object, write: Any, item: Any) -> Any:
        return await self._queue.verdict(write, item)


@dataclass(frozen=True, slots=True)
class Guard:
    """`changes` take the guard out of the statements, `tables` takes away the constraint behind it, by service.

    A guard that is no SQL is a name in a module, with something else `instead`.
    """

    changes: tuple[Change, ...]
    tables: Mapping[str, str] = field(default_factory=dict)
    instead: tuple[tuple[ModuleType, str, object], ...] = ()

    def switch_off(self, put: Callable[[ModuleType, str, object], object]) -> None:
        """Changes the modules by `put(module, name, value)`: `setattr`, or a test's monkeypatch."""
        for module, name, other in self.instead:
            assert hasattr(module, name)
            put(module, name, other)
        for module, name, piece, instead in self.changes:
            statement = getattr(module, name)
            assert piece in statement, f"{name} does not hold {piece!r}: the guard would stay on"
            put(module, name, statement.replace(piece, instead))


# How wrong this process's clock is (see clock.py): what the kernel says cannot be changed from Python.
_AHEAD = round(time.time() - time.clock_gettime(time.CLOCK_REALTIME))
_SEEN = "AND NOT EXISTS (SELECT FROM reservations WHERE booking_id = %(booking)s)"
_ONE_PER_KEY = "ON CONFLICT (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING\n"

GUARDS = {
    "row condition": Guard(
        (
            (reservations, "RESERVE", "AND available >= %(count)s ", ""),
            (reservations, "RESERVE_MANY", "AND available >= %(total)s ", ""),
        ),
        {"events": "ALTER TABLE events DROP CONSTRAINT events_check"},
    ),
    "reservation key": Guard(
        (
            (reservations, "RESERVE", _SEEN, ""),
            (reservations, "RESERVE", "SELECT %(booking)s, id,", "SELECT gen_random_uuid(), id,"),
            (reservations, "RESERVE_MANY", "SELECT wish.booking_id,", "SELECT gen_random_uuid(),"),
        )
    ),
    "tombstone": Guard(((reservations, "BURY_MANY", "WHERE NOT EXISTS", "WHERE false AND NOT EXISTS"),)),
    "conditional confirm": Guard(((bookings, "MOVE", "status = ANY(%s)", "%s::text[] IS NOT NULL"),)),
    "idempotency key": Guard(((bookings, "CLAIM", _ONE_PER_KEY, ""),), {"bookings": "DROP INDEX bookings_one_per_key"}),
    "a queue an event": Guard((), instead=((reservations, "Groupings", OneQueue),)),
    "recovery": Guard(((recovery, "TAKE", "settle_at <= now()", "false"),)),
    "database clock": Guard(
        (
            (
                recovery,
                "TAKE",
                "created_at < now()",
                f"created_at < now() + make_interval(secs => {_AHEAD})",
            ),
        )
    ),
}
