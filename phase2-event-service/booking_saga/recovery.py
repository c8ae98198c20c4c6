"""Puts right what a crash, or a service that was away, left halfway: bookings still PENDING, tickets not given back.

There is no second saga here. A booking left PENDING past its limit is abandoned (presumed abort); a retry with its key
may finish it before. Several replicas may run this: each takes a few bookings at a time and sets `settle_at` ahead, so
that the others leave them alone while it works, and find them again should it die.
"""

import asyncio
import uuid
from typing import Self

import structlog
from booking_service.domain import Status
from booking_service.service import BookingUseCases
from chassis.errors import Unavailable
from chassis.postgres import Database

from booking_saga.inventory import EventServiceInventory

TAKE = """
UPDATE bookings SET settle_at = now() + make_interval(secs => %(lease)s)
WHERE id IN (
    SELECT id FROM bookings
    WHERE settle_at <= now() AND (
        (status = 'PENDING' AND created_at < now() - make_interval(secs => %(limit)s))
        OR (status = 'CANCELLED' AND NOT given_back)
    )
    ORDER BY settle_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
)
RETURNING id, status
"""

GIVEN_BACK = "UPDATE bookings SET given_back = true WHERE id = ANY(%s)"

EXPIRED = "EXPIRED"
_BATCH, _LEASE = 50, 5
_AT_ONCE = 8  # releases that come at once share a statement in the event service; more would get in the buyers' way

log = structlog.get_logger(__name__)


class Recovery:
    """Looks for unfinished bookings every `interval` seconds, inside its `async with` block."""

    def __init__(
        self,
        database: Database,
        use_cases: BookingUseCases,
        inventory: EventServiceInventory,
        *,
        pending_limit: float,
        interval: float,
    ) -> None:
        self._database = database
        self._use_cases = use_cases
        self._inventory = inventory
        self._limit = pending_limit
        self._interval = interval
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.cancel()

    async def settle(self) -> int:
        """Takes a few unfinished bookings to their end; returns how many. Raises Unavailable when something is away."""
        values = {"lease": _LEASE, "limit": self._limit, "batch": _BATCH}
        async with self._database.connection() as connection:
            taken = await (await connection.execute(TAKE, values)).fetchall()
        settled: list[uuid.UUID] = []
        workers = [self._work_off(taken, settled) for _ in range(_AT_ONCE)]
        failures = [failure for failure in await asyncio.gather(*workers, return_exceptions=True) if failure]
        if settled:
            async with self._database.connection() as connection:
                await connection.execute(GIVEN_BACK, [settled])
            log.info("settled", bookings=len(settled))
        if failures:
            raise failures[0]
        return len(settled)

    async def _work_off(self, taken: list[tuple[uuid.UUID, str]], settled: list[uuid.UUID]) -> None:
        """Moves bookings from `taken` to `settled`, until none is left or one fails: then the service is away."""
        while taken:
            booking_id, status = taken.pop()
            try:
                done = await self._settled(booking_id, status)
            except Exception as error:
                # Once a lease: whatever fails for good keeps its tickets, so somebody has to hear which it is.
                log.warning("not settled", booking_id=str(booking_id), error=f"{type(error).__name__}: {error}")
                raise
            if done:
                settled.append(booking_id)

    async def _settled(self, booking_id: uuid.UUID, status: str) -> bool:
        if status == "PENDING":
            booking = await self._use_cases.abandon(booking_id, EXPIRED)
            if booking.status is not Status.CANCELLED:  # a retry has confirmed it since we looked
                return False
        await self._inventory.give_back(booking_id)
        return True

    async def _run(self) -> None:
        while True:
            try:
                busy = await self.settle() == _BATCH
            except Unavailable:  # the leases run out, and all of it is tried again
                busy = False
            except Exception:
                log.exception("recovery failed")
                busy = False
            if not busy:
                await asyncio.sleep(self._interval)
