"""Races between buyers, and between the steps of one booking: each is run as the system is, and with its guard off.

A scenario provokes; it proves nothing by itself. What it returns is what buyers heard.
"""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable

from booking_service.domain import Booking
from booking_service.inventory import TicketInventory, TicketsRefused

from tests.inside import Inside

Heard = Counter[str]


class AnswerLost(Exception):
    """What happened is not known."""


TRIALS = 1000


class Between:
    """Stands between the booking service and the event service; passes everything on."""

    def __init__(self, system: Inside) -> None:
        self._inner: TicketInventory = system.inventory
        system.inventory = self

    async def reserve(self, booking: Booking) -> None:
        await self._inner.reserve(booking)

    async def release(self, booking: Booking) -> None:
        await self._inner.release(booking)


def heard(answers: list[Booking | str | BaseException]) -> Heard:
    """What was answered: a status, the reason of a refusal, or the name of an error."""
    return Counter(
        answer.status.value if isinstance(answer, Booking) else answer if isinstance(answer, str) else repr(answer)
        for answer in answers
    )


async def one_buyer_too_many(system: Inside) -> Heard:
    """300 buyers of one ticket each, and 299 tickets; afterwards five more, one by one."""
    event_id = await system.event(299)
    buyers = [system.book(f"buyer-{number}", event_id) for number in range(300)]
    rush = await asyncio.gather(*buyers, return_exceptions=True)
    return heard([*rush, *[await system.book(f"late-{number}", event_id) for number in range(5)]])


async def an_answer_lost_after_commit(system: Inside) -> Heard:
    """The tickets are set aside, the answer is lost; then the customer tries again, twenty times at once."""

    class LosesTheFirst(Between):
        lost = 0

        async def reserve(self, booking: Booking) -> None:
            await super().reserve(booking)
            if not self.lost:
                self.lost = 1
                raise AnswerLost

    found: list[Booking | str | BaseException] = []
    event_id = await system.event(100)
    for number in range(10):
        LosesTheFirst(system)
        tries = [system.book(f"ada-{number}", event_id, 2) for _ in range(21)]
        found += await asyncio.gather(tries[0], return_exceptions=True)
        found += await asyncio.gather(*tries[1:], return_exceptions=True)
    return heard(found)


async def one_key_twenty_times_at_once(system: Inside) -> Heard:
    """Ten customers, each of whom sends one wish twenty times at once."""
    event_id = await system.event(100)
    tries = [system.book(f"ada-{number}", event_id, 2) for number in range(10) for _ in range(20)]
    return heard(await asyncio.gather(*tries, return_exceptions=True))


async def a_cancellation_races_its_booking(system: Inside) -> Heard:
    """A thousand times: somebody cancels a booking at any moment between its claim and long after its confirmation."""
    chance = random.Random(5)  # noqa: S311 - the same draws in every run
    span = 0.02  # seconds; then twice what the booking before took, so that a busy machine sees every order too
    cancelling: list[asyncio.Task[Booking]] = []

    class Raced(Between):
        async def reserve(self, booking: Booking) -> None:
            cancelling.append(asyncio.create_task(soon(booking.id, chance.uniform(0, span))))
            await super().reserve(booking)

    async def soon(booking_id: uuid.UUID, delay: float) -> Booking:
        await asyncio.sleep(delay)  # waits for nothing: the moment is the point
        return await system.cancel(booking_id)

    Raced(system)
    event_id = await system.event(1000)
    found: list[Booking | str | BaseException] = []

    async def customer(number: int) -> None:
        nonlocal span
        for turn in range(TRIALS // 20):
            began = time.monotonic()
            found.append(await system.book(f"ada-{number}-{turn}", event_id, 2))
            span = 2 * (time.monotonic() - began)

    await asyncio.gather(*(customer(number) for number in range(20)))
    await asyncio.gather(*cancelling)
    return heard(found)


async def ten_cancellations_at_once(system: Inside) -> Heard:
    """Fifty bookings one after the other, each cancelled ten times at once."""
    event_id = await system.event(100)
    found: Heard = Counter()
    for number in range(50):
        booking = await system.book(f"ada-{number}", event_id, 2)
        assert isinstance(booking, Booking)
        found += heard(await asyncio.gather(*(system.cancel(booking.id) for _ in range(10)), return_exceptions=True))
    return found


async def a_release_overtakes_its_reserve(system: Inside) -> Heard:
    """Reserves are held up on their way, until their bookings have been cancelled and given back."""
    return await _held_up(system, system.cancel)


async def a_reserve_comes_after_its_booking_was_abandoned(system: Inside) -> Heard:
    """The same, but nobody cancels: the bookings are PENDING for too long."""

    async def expire(booking_id: uuid.UUID) -> None:
        with system.sql() as sql:
            sql.execute("UPDATE bookings SET created_at = now() - interval '1 hour' WHERE id = %s", [booking_id])

    return await _held_up(system, expire)


async def _held_up(system: Inside, end: Callable[[uuid.UUID], Awaitable[object]]) -> Heard:
    held: list[uuid.UUID] = []
    go = asyncio.Event()

    class HoldsUp(Between):
        async def reserve(self, booking: Booking) -> None:
            held.append(booking.id)
            await go.wait()
            await super().reserve(booking)

    HoldsUp(system)
    event_id = await system.event(100)
    late = [asyncio.create_task(system.book(f"ada-{number}", event_id, 2)) for number in range(20)]
    async with asyncio.timeout(20):
        while len(held) < len(late):  # noqa: ASYNC110 - what it waits for is in the wrapper above
            await asyncio.sleep(0.01)
        await asyncio.gather(*map(end, held))
        with system.sql() as sql:
            while sql.execute("SELECT FROM bookings WHERE NOT given_back").rowcount:  # noqa: ASYNC110 - in a database
                await asyncio.sleep(0.02)
    go.set()
    return heard(await asyncio.gather(*late, return_exceptions=True))


async def a_refusal_comes_after_another_try_was_confirmed(system: Inside) -> Heard:
    """A try on its way, another that hears "sold out"; then tickets come back, the first gets them, the second ends."""
    first_may, second_may = asyncio.Event(), asyncio.Event()
    second_heard = asyncio.Event()
    tries: list[uuid.UUID] = []

    class HoldsUp(Between):
        async def reserve(self, booking: Booking) -> None:
            tries.append(booking.id)
            if len(tries) == 1:
                await first_may.wait()
                await super().reserve(booking)
                return
            try:
                await super().reserve(booking)
            except TicketsRefused:
                second_heard.set()
                await second_may.wait()
                raise

    event_id = await system.event(10)
    other = await system.book("bob", event_id, 10)
    HoldsUp(system)
    first = asyncio.create_task(system.book("ada", event_id, 10))
    async with asyncio.timeout(20):
        while not tries:  # noqa: ASYNC110 - what it waits for is in the wrapper above
            await asyncio.sleep(0.01)
        second = asyncio.create_task(system.book("ada", event_id, 10))
        await second_heard.wait()
        assert isinstance(other, Booking)
        await system.cancel(other.id)
        first_may.set()
        await asyncio.wait([first])
        second_may.set()
    return heard(await asyncio.gather(first, second, return_exceptions=True))
