"""Task 1.8: the use case `cancel`, over its two ports."""

import uuid
from typing import Any

from booking_service.domain import Booking, NewBooking, Status
from booking_service.memory import InMemoryBookings
from booking_service.service import BookingUseCases
from chassis.errors import Unavailable

from workbook.lesson.task import Task, Wrong, WrongAnswer


class Tickets:
    """An inventory in a set. While `away` it answers no release."""

    def __init__(self) -> None:
        self.held: set[uuid.UUID] = set()
        self.away = False

    async def reserve(self, booking: Booking) -> None:
        self.held.add(booking.id)

    async def release(self, booking: Booking) -> None:
        if self.away:
            raise Unavailable("nobody answers")
        self.held.discard(booking.id)


class Bookings(InMemoryBookings):
    """Bookings in memory. While `away` none can be moved."""

    away = False

    async def move(
        self, booking_id: uuid.UUID, target: Status, reason: str = "", *, only_from: Status | None = None
    ) -> Booking:
        if self.away:
            raise Unavailable("the database does not answer")
        return await super().move(booking_id, target, reason, only_from=only_from)


async def check(cancelling: Any) -> str:
    """The happy path, then each promise with the failure that breaks it."""
    for promise in (_cancels, _twice, _database_away, _pending, _dies_halfway):
        bookings, tickets = Bookings(), Tickets()
        booking = await BookingUseCases(bookings, tickets).create(NewBooking("ada", "jazz-night", 2))
        await promise(cancelling(bookings, tickets), bookings, tickets, booking)
    return "tickets go back after the status is set, always, and a second call finishes what a first one began"


async def _cancels(answer: Any, bookings: Bookings, tickets: Tickets, booking: Booking) -> None:
    returned = await answer.cancel(booking.id, "changed my mind")
    now = await bookings.get(booking.id)
    if (now.status, now.reason) != (Status.CANCELLED, "changed my mind"):
        raise Wrong(f"after cancel the booking is {now.status} with reason {now.reason!r}: move it to CANCELLED")
    if tickets.held:
        raise Wrong("after cancel the tickets are still set aside: nobody else can buy them; release them")
    if returned != now:
        raise Wrong(f"cancel returned {returned!r}: return the booking as it is after the move")


async def _twice(answer: Any, bookings: Bookings, tickets: Tickets, booking: Booking) -> None:
    del tickets
    await answer.cancel(booking.id, "first")
    try:
        await answer.cancel(booking.id, "second")
    except NotImplementedError:
        raise
    except Exception as error:
        raise Wrong(
            f"cancelling a second time raised {type(error).__name__}: it must change nothing and succeed"
        ) from error
    if (await bookings.get(booking.id)).reason != "first":
        raise Wrong("a second cancel changed the reason: let `move` decide, it refuses what is no move")


async def _database_away(answer: Any, bookings: Bookings, tickets: Tickets, booking: Booking) -> None:
    bookings.away = True
    try:
        await answer.cancel(booking.id)
    except Unavailable:
        pass
    else:
        raise Wrong("the database failed and cancel raised nothing: the caller must hear that nothing was cancelled")
    if booking.id not in tickets.held:
        raise Wrong("the database failed, yet the tickets were given back: a CONFIRMED booking without tickets is left")


async def _pending(answer: Any, bookings: Bookings, tickets: Tickets, booking: Booking) -> None:
    del booking
    unfinished = await bookings.claim(NewBooking("grace", "jazz-night", 2))
    await tickets.reserve(unfinished)  # and here its process died, before it was CONFIRMED
    await answer.cancel(unfinished.id)
    if unfinished.id in tickets.held:
        raise Wrong(
            "a PENDING booking was cancelled and keeps its tickets: they may be set aside before it is CONFIRMED"
        )


async def _dies_halfway(answer: Any, bookings: Bookings, tickets: Tickets, booking: Booking) -> None:
    del bookings
    tickets.away = True
    try:
        await answer.cancel(booking.id)
    except Unavailable:
        tickets.away = False
    else:
        raise Wrong("the tickets could not be given back and cancel raised nothing: then nobody will call it again")
    await answer.cancel(booking.id)
    if tickets.held:
        raise Wrong("the first cancel died before its release, and the second released nothing: tickets stay lost")


_RELEASE_FIRST = """
        await self._inventory.release(await self._bookings.get(booking_id))
        return await self._bookings.move(booking_id, Status.CANCELLED, reason)
"""
_ONLY_CONFIRMED = """
        before = await self._bookings.get(booking_id)
        booking = await self._bookings.move(booking_id, Status.CANCELLED, reason)
        if before.status is Status.CONFIRMED:
            await self._inventory.release(booking)
        return booking
"""
_ONLY_ONCE = """
        before = await self._bookings.get(booking_id)
        booking = await self._bookings.move(booking_id, Status.CANCELLED, reason)
        if before.status is not Status.CANCELLED:
            await self._inventory.release(booking)
        return booking
"""
_SECOND_FAILS = """
        if (await self._bookings.get(booking_id)).status is Status.CANCELLED:
            raise ValueError("already cancelled")
        booking = await self._bookings.move(booking_id, Status.CANCELLED, reason)
        await self._inventory.release(booking)
        return booking
"""
_SWALLOWS = """
        booking = await self._bookings.move(booking_id, Status.CANCELLED, reason)
        try:
            await self._inventory.release(booking)
        except Exception:
            pass
        return booking
"""
_KEEPS = "        return await self._bookings.move(booking_id, Status.CANCELLED, reason)\n"

TASK = Task(
    id="1.8",
    title="A use case over ports",
    names=("Cancelling",),
    hints=(
        "Think of a crash between the two steps. After which order can calling cancel again repair what is left?",
        "Two calls and a return, no if: a `move` that is illegal changes nothing, a second `release` neither.",
        "First await the move to Status.CANCELLED, keep the booking it returns; then release that one, and return it.",
    ),
    check=check,
    wrong=(
        WrongAnswer("release first", code=_RELEASE_FIRST, says="the tickets were given back"),
        WrongAnswer(
            "release only when it was CONFIRMED", code=_ONLY_CONFIRMED, says="PENDING booking was cancelled and keeps"
        ),
        WrongAnswer("release only the first time", code=_ONLY_ONCE, says="the second released nothing"),
        WrongAnswer("a second cancel fails", code=_SECOND_FAILS, says="cancelling a second time raised ValueError"),
        WrongAnswer("swallows the failure", code=_SWALLOWS, says="then nobody will call it again"),
        WrongAnswer("never releases", code=_KEEPS, says="the tickets are still set aside"),
    ),
)
