"""Task 2.7: presumed abort, over the two ports, while a retry may confirm the booking at any moment."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from booking_service.domain import Booking, NewBooking, Status
from booking_service.memory import InMemoryBookings
from booking_service.service import BookingUseCases
from chassis.errors import Unavailable

from workbook.lesson.task import Task, Wrong, WrongAnswer

EXPIRED = "EXPIRED"


class Bookings(InMemoryBookings):
    """Bookings in memory; `between` runs once, just before the next move: what else may happen at that moment."""

    between: Callable[[], Awaitable[object]] | None = None

    async def move(
        self, booking_id: uuid.UUID, target: Status, reason: str = "", *, only_from: Status | None = None
    ) -> Booking:
        if self.between is not None:
            happens, self.between = self.between, None
            await happens()
        return await super().move(booking_id, target, reason, only_from=only_from)


class Tickets:
    """An inventory in a set. While `away` it answers no release; notes what each release saw of its booking."""

    def __init__(self, bookings: Bookings) -> None:
        self._bookings = bookings
        self.held: set[uuid.UUID] = set()
        self.seen: list[Status] = []
        self.away = False

    async def reserve(self, booking: Booking) -> None:
        self.held.add(booking.id)

    async def release(self, booking: Booking) -> None:
        self.seen.append((await self._bookings.get(booking.id)).status)
        if self.away:
            raise Unavailable("the event service does not answer")
        self.held.discard(booking.id)


async def check(abandoning: Any) -> str:
    """A booking whose process died after its tickets were set aside, each time with something else going on."""
    for promise in (_pending, _confirmed, _confirmed_meanwhile, _dies_halfway):
        bookings = Bookings()
        tickets = Tickets(bookings)
        booking = await bookings.claim(NewBooking("ada", "jazz-night", 2))
        await tickets.reserve(booking)
        await promise(abandoning(bookings, tickets), bookings, tickets, booking.id)
    return "what is still PENDING ends CANCELLED and gives its tickets back; whoever was confirmed first keeps them"


async def _pending(answer: Any, bookings: Bookings, tickets: Tickets, booking_id: uuid.UUID) -> None:
    returned = await answer.abandon(booking_id, EXPIRED)
    now = await bookings.get(booking_id)
    if (now.status, now.reason) != (Status.CANCELLED, EXPIRED):
        raise Wrong(f"abandon leaves a PENDING booking {now.status} with reason {now.reason!r}: CANCELLED, {EXPIRED!r}")
    if tickets.held:
        raise Wrong("abandon leaves the tickets set aside: nobody can buy them, and nobody has them; release them")
    if tickets.seen[0] is not Status.CANCELLED:
        raise Wrong(
            f"the tickets were given back while the booking was still {tickets.seen[0]}: a retry could confirm it "
            "then, without tickets. Move first"
        )
    if returned != now:
        raise Wrong(f"abandon gives {returned!r}: return the booking as it is after the move")


async def _confirmed(answer: Any, bookings: Bookings, tickets: Tickets, booking_id: uuid.UUID) -> None:
    await bookings.move(booking_id, Status.CONFIRMED)
    await _keeps(answer, bookings, tickets, booking_id, "was CONFIRMED before abandon came")


async def _confirmed_meanwhile(answer: Any, bookings: Bookings, tickets: Tickets, booking_id: uuid.UUID) -> None:
    """A retry with the booking's key wins by a hair."""
    booking = await bookings.get(booking_id)
    bookings.between = lambda: BookingUseCases(bookings, tickets).complete(booking)
    await _keeps(answer, bookings, tickets, booking_id, "was confirmed by a retry just before the move")


async def _keeps(answer: Any, bookings: Bookings, tickets: Tickets, booking_id: uuid.UUID, what: str) -> None:
    returned = await answer.abandon(booking_id, EXPIRED)
    status = (await bookings.get(booking_id)).status
    if status is not Status.CONFIRMED:
        raise Wrong(
            f"a booking {what}, its user was told so, and it ends {status}: `move` takes only_from=Status.PENDING, and "
            "decides in the same step"
        )
    if booking_id not in tickets.held:
        raise Wrong(f"a booking {what}, and its tickets were given back: look at what `move` returned before releasing")
    if getattr(returned, "status", None) is not Status.CONFIRMED:
        raise Wrong(f"a booking {what}, abandon gives {returned!r}: return the booking as `move` returned it")


async def _dies_halfway(answer: Any, bookings: Bookings, tickets: Tickets, booking_id: uuid.UUID) -> None:
    tickets.away = True
    try:
        await answer.abandon(booking_id, EXPIRED)
    except Unavailable:
        tickets.away = False
    else:
        raise Wrong("the tickets could not be given back and abandon raised nothing: then nobody will call it again")
    await answer.abandon(booking_id, EXPIRED)
    if tickets.held:
        status = (await bookings.get(booking_id)).status
        raise Wrong(
            f"the first abandon died before its release, the second found the booking {status} and released nothing: "
            "the tickets stay lost"
        )


_MOVE = "await self._bookings.move(booking_id, Status.CANCELLED, reason, only_from=Status.PENDING)"
_RELEASE_FIRST = f"""
        await self._inventory.release(await self._bookings.get(booking_id))
        return {_MOVE}
"""
_FROM_ANY = """
        booking = await self._bookings.move(booking_id, Status.CANCELLED, reason)
        if booking.status is Status.CANCELLED:
            await self._inventory.release(booking)
        return booking
"""
_RELEASES_ALWAYS = f"""
        booking = {_MOVE}
        await self._inventory.release(booking)
        return booking
"""
_CHECK_THEN_ACT = """
        booking = await self._bookings.get(booking_id)
        if booking.status is Status.CONFIRMED:
            return booking
        booking = await self._bookings.move(booking_id, Status.CANCELLED, reason)
        await self._inventory.release(booking)
        return booking
"""
_CONFIRMS = """
        return await self._bookings.move(booking_id, Status.CONFIRMED)
"""
_SWALLOWS = f"""
        booking = {_MOVE}
        if booking.status is Status.CANCELLED:
            try:
                await self._inventory.release(booking)
            except Exception:
                pass
        return booking
"""
_ONLY_ONCE = f"""
        before = await self._bookings.get(booking_id)
        booking = {_MOVE}
        if before.status is Status.PENDING and booking.status is Status.CANCELLED:
            await self._inventory.release(booking)
        return booking
"""

TASK = Task(
    id="2.7",
    title="Presumed abort",
    names=("Abandoning",),
    hints=(
        "Nobody may get in between looking at the status and changing it. Which of the two ports can do both at once?",
        (
            "`move` has only_from=Status.PENDING. It returns the booking as it is then: CANCELLED, now or since an "
            "earlier call, or CONFIRMED."
        ),
        (
            "First await the move, only from PENDING, and keep what it returns. If that one's status is CANCELLED, "
            "await the release. Return it. No try, no look before."
        ),
    ),
    check=check,
    wrong=(
        WrongAnswer("release first", code=_RELEASE_FIRST, says="given back while the booking was still PENDING"),
        WrongAnswer("from any status", code=_FROM_ANY, says="was CONFIRMED before abandon came, its user was told so"),
        WrongAnswer("releases always", code=_RELEASES_ALWAYS, says="look at what `move` returned before releasing"),
        WrongAnswer("looks, then acts", code=_CHECK_THEN_ACT, says="confirmed by a retry just before the move, its"),
        WrongAnswer("confirms instead", code=_CONFIRMS, says="abandon leaves a PENDING booking CONFIRMED"),
        WrongAnswer("swallows the failure", code=_SWALLOWS, says="then nobody will call it again"),
        WrongAnswer("releases only the first time", code=_ONLY_ONCE, says="the second found the booking CANCELLED"),
    ),
)
