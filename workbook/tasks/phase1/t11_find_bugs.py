"""Task 1.11: a test that passes on a good repository and fails on two broken ones."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from booking_service.domain import Booking, NewBooking
from booking_service.memory import InMemoryBookings
from booking_service.repository import BookingRepository

from workbook.lesson.task import Task, Wrong, WrongAnswer

Test = Callable[[BookingRepository], Awaitable[None]]


class ForgetsKeys(InMemoryBookings):
    """Makes a new booking each time: a retry books twice."""

    async def claim(self, wish: NewBooking) -> Booking:
        return await super().claim(replace(wish, key=None))


class OneKeyForAll(InMemoryBookings):
    """Looks at the key and forgets whose it is."""

    def __init__(self) -> None:
        super().__init__()
        self._by_key: dict[str, Booking] = {}

    async def claim(self, wish: NewBooking) -> Booking:
        if wish.key is None:
            return await super().claim(wish)
        if wish.key not in self._by_key:
            self._by_key[wish.key] = await super().claim(wish)
        return self._by_key[wish.key]


BROKEN = {
    ForgetsKeys: "claim the same wish twice and compare what comes back",
    OneKeyForAll: "claim with the same key for two users and compare what comes back",
}


async def check(test: Test) -> str:
    """The good repository first: a test that always fails finds nothing either."""
    try:
        await test(InMemoryBookings())
    except AssertionError as failure:
        raise Wrong(
            f"your test fails on the good repository ({str(failure) or 'an assert'}): it must pass there"
        ) from failure
    for kind, idea in BROKEN.items():
        if not await _fails(test, kind()):
            raise Wrong(f"{kind.__name__} passes your test: {idea}")
    return "it passes on the good repository and finds both broken ones"


async def _fails(test: Test, bookings: BookingRepository) -> bool:
    try:
        await test(bookings)
    except AssertionError:
        return True
    return False


_NO_ASSERT = """
    await bookings.claim(NewBooking("ada", "jazz-night", 2, "key-1"))
    await bookings.claim(NewBooking("ada", "jazz-night", 2, "key-1"))
    await bookings.claim(NewBooking("grace", "jazz-night", 2, "key-1"))
"""
_COMPARES_FIELDS = """
    first = await bookings.claim(NewBooking("ada", "jazz-night", 2, "key-1"))
    again = await bookings.claim(NewBooking("ada", "jazz-night", 2, "key-1"))
    other = await bookings.claim(NewBooking("grace", "jazz-night", 2, "key-1"))
    assert (first.user_id, first.ticket_count) == (again.user_id, again.ticket_count)
    assert other.id != first.id
"""
_ONE_USER = """
    first = await bookings.claim(NewBooking("ada", "jazz-night", 2, "key-1"))
    again = await bookings.claim(NewBooking("ada", "jazz-night", 2, "key-1"))
    assert first.id == again.id
"""
_EXPECTS_REFUSAL = """
    await bookings.claim(NewBooking("ada", "jazz-night", 2, "key-1"))
    try:
        await bookings.claim(NewBooking("ada", "jazz-night", 2, "key-1"))
    except Exception:
        return
    raise AssertionError("the second claim was not refused")
"""

TASK = Task(
    id="1.11",
    title="A test that finds bugs",
    names=("one_booking_per_key",),
    hints=(
        "The promise has two sentences. Each becomes one assert.",
        "Three claims with one key: twice by the same user, once by another one. Keep what each returns.",
        "Assert that the ids of the first two are equal, and that the third one's is different.",
    ),
    check=check,
    wrong=(
        WrongAnswer("asserts nothing", code=_NO_ASSERT, says="ForgetsKeys passes your test"),
        WrongAnswer("compares what is equal anyway", code=_COMPARES_FIELDS, says="ForgetsKeys passes your test"),
        WrongAnswer("only one user", code=_ONE_USER, says="OneKeyForAll passes your test"),
        WrongAnswer("expects a refusal", code=_EXPECTS_REFUSAL, says="your test fails on the good repository"),
    ),
)
