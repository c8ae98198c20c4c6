"""Repositories with one mistake each, over the right one in memory."""

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self

from booking_service.domain import Booking, NewBooking, Status
from booking_service.memory import InMemoryBookings
from chassis.paging import Position


class Bookings(InMemoryBookings):
    """The right one. What `after_kill` returns is what a database would still have after SIGKILL."""

    def after_kill(self) -> Self:
        return self


class ForgetsAll(Bookings):
    def after_kill(self) -> Self:
        return type(self)()


class ForgetsTheLatest(Bookings):
    """Writes behind: it answers first and stores a little later."""

    def after_kill(self) -> Self:
        for booking_id in list(self._bookings)[-8:]:  # at most 4 of them are not acknowledged: one for each writer
            del self._bookings[booking_id]
        return self


class ForgetsCancellations(Bookings):
    """Changes the status in its cache only."""

    def after_kill(self) -> Self:
        for booking in self._bookings.values():
            self._bookings[booking.id] = replace(booking, status=Status.CONFIRMED)
        return self


class CountsIdsInMemory(Bookings):
    def __init__(self) -> None:
        super().__init__()
        self._ids = self._counter()

    def after_kill(self) -> Self:
        self._ids = self._counter()
        return self

    def _counter(self) -> Iterator[int]:
        return itertools.count(1)

    def _made(self, wish: NewBooking) -> Booking:
        return replace(super()._made(wish), id=uuid.UUID(int=next(self._ids)))


class MakesIdsFromTheWish(Bookings):
    def _made(self, wish: NewBooking) -> Booking:
        name = f"{wish.user_id} {wish.event_id} {wish.ticket_count}"
        return replace(super()._made(wish), id=uuid.uuid5(uuid.NAMESPACE_OID, name))


class RacesForIds(Bookings):
    """Takes the next id and stores it later; who comes in between takes the same."""

    async def claim(self, wish: NewBooking) -> Booking:
        booking_id = uuid.UUID(int=len(self._bookings) + 1)
        await asyncio.sleep(0.03)
        return self._holder(wish) or self._store(replace(self._made(wish), id=booking_id))


class RunsOutOfConnections(Bookings):
    """Opens a connection for each call; one user's calls wait for each other until there are too many."""

    LIMIT = 100

    def __init__(self) -> None:
        super().__init__()
        self._busy: Counter[str] = Counter()
        self._full = asyncio.Event()

    async def claim(self, wish: NewBooking) -> Booking:
        self._busy[wish.user_id] += 1
        try:
            await asyncio.sleep(0.01)  # opening a connection takes a while
            await self._wait_for_others(self._busy[wish.user_id])
            return await super().claim(wish)
        finally:
            self._busy[wish.user_id] -= 1

    async def _wait_for_others(self, busy: int) -> None:
        if busy > self.LIMIT:
            self._full.set()
            raise RuntimeError("FATAL: sorry, too many clients already")
        if busy > 1 and not self._full.is_set():
            try:
                await asyncio.wait_for(self._full.wait(), 4)
            except TimeoutError:
                return


class ListsEverybody(Bookings):
    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        others = [booking for booking in self._bookings.values() if booking.user_id != user_id]
        return [*await super().of_user(user_id, limit), *others][: limit - 1]


class ListsByPrefix(Bookings):
    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        users = {booking.user_id for booking in self._bookings.values() if booking.user_id.startswith(user_id)}
        return [booking for user in sorted(users) for booking in await super(ListsByPrefix, self).of_user(user, limit)]


class ListsOldestFirst(Bookings):
    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        return (await super().of_user(user_id, limit, after))[::-1]


class ListsTwoAtMost(Bookings):
    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        return await super().of_user(user_id, 2, after)


class ListsTwice(Bookings):
    async def of_user(self, user_id: str, limit: int, after: Position | None = None) -> list[Booking]:
        return [booking for booking in await super().of_user(user_id, limit, after) for _ in range(2)][:limit]


class IgnoresKeys(Bookings):
    async def claim(self, wish: NewBooking) -> Booking:
        return await super().claim(replace(wish, key=None))


class LooksForTheKeyFirst(Bookings):
    """Check, then act: the same key at the same time passes the check twice."""

    def __init__(self) -> None:
        super().__init__()
        self._acting: Counter[str | None] = Counter()

    async def claim(self, wish: NewBooking) -> Booking:
        holder = self._holder(wish)
        if wish.key and not holder:
            self._acting[wish.key] += 1
            await self._wait_for_another(wish.key)
        return holder or self._store(self._made(wish))

    async def _wait_for_another(self, key: str) -> None:
        for _ in range(50):
            if self._acting[key] > 1:
                return
            await asyncio.sleep(0.01)


class SharesKeys(Bookings):
    def _holder(self, wish: NewBooking) -> Booking | None:
        return next((booking for booking in self._bookings.values() if wish.key and booking.key == wish.key), None)


class KeepsLocalTime(Bookings):
    def __init__(self) -> None:
        super().__init__(clock=lambda: datetime.now(UTC) + timedelta(hours=3))


class DeletesCancelled(Bookings):
    async def move(self, booking_id: uuid.UUID, target: Status, reason: str = "") -> Booking:
        moved = await super().move(booking_id, target, reason)
        if target is Status.CANCELLED:
            del self._bookings[booking_id]
        return moved


class OverwritesReason(Bookings):
    async def move(self, booking_id: uuid.UUID, target: Status, reason: str = "") -> Booking:
        return self._store(replace(await super().move(booking_id, target, reason), reason=reason))


class BringsBack(Bookings):
    """A retry with the key of a cancelled booking makes it PENDING again."""

    async def claim(self, wish: NewBooking) -> Booking:
        return self._store(replace(await super().claim(wish), status=Status.PENDING))
