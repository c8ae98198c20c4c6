"""The use cases, over bookings in memory and an inventory that can be told to refuse or to fail."""

import uuid

import pytest
from booking_service.domain import Booking, BookingNotFound, KeyReused, NewBooking, Status
from booking_service.inventory import EveryEventHasTickets, TicketsRefused
from booking_service.memory import InMemoryBookings
from booking_service.service import BookingUseCases
from chassis.errors import Unavailable

WISH = NewBooking("ada", "concert", 2)
WITH_KEY = NewBooking("ada", "concert", 2, "key")


class Inventory:
    """A `TicketInventory` that writes down what it was asked and in which status, and may be told to fail."""

    def __init__(self, bookings: InMemoryBookings) -> None:
        self.asked: list[tuple[str, uuid.UUID, Status]] = []
        self.fail: Exception | None = None
        self._bookings = bookings

    async def reserve(self, booking: Booking) -> None:
        await self._note("reserve", booking)

    async def release(self, booking: Booking) -> None:
        await self._note("release", booking)

    async def _note(self, what: str, booking: Booking) -> None:
        self.asked.append((what, booking.id, (await self._bookings.get(booking.id)).status))
        if self.fail is not None:
            raise self.fail


@pytest.fixture
def bookings() -> InMemoryBookings:
    return InMemoryBookings()


@pytest.fixture
def inventory(bookings: InMemoryBookings) -> Inventory:
    return Inventory(bookings)


@pytest.fixture
def use_cases(bookings: InMemoryBookings, inventory: Inventory) -> BookingUseCases:
    return BookingUseCases(bookings, inventory)


async def test_a_booking_is_pending_while_its_tickets_are_reserved_and_then_confirmed(
    use_cases: BookingUseCases, inventory: Inventory
) -> None:
    made = await use_cases.create(WISH)
    assert made.status is Status.CONFIRMED
    assert inventory.asked == [("reserve", made.id, Status.PENDING)]
    assert await use_cases.get(made.id) == made


async def test_refused_tickets_cancel_the_booking_and_say_why(use_cases: BookingUseCases, inventory: Inventory) -> None:
    inventory.fail = TicketsRefused("sold out")
    with pytest.raises(TicketsRefused, match="sold out"):
        await use_cases.create(WISH)
    (left,) = await use_cases.of_user("ada", 10)
    assert (left.status, left.reason) == (Status.CANCELLED, "TICKETS_REFUSED")


async def test_a_failure_on_the_way_leaves_the_booking_pending(
    use_cases: BookingUseCases, inventory: Inventory
) -> None:
    """Nobody knows whether the tickets were set aside."""
    inventory.fail = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await use_cases.create(WITH_KEY)
    (left,) = await use_cases.of_user("ada", 10)
    assert left.status is Status.PENDING


async def test_a_retry_with_the_key_finishes_what_was_left(use_cases: BookingUseCases, inventory: Inventory) -> None:
    inventory.fail = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await use_cases.create(WITH_KEY)
    inventory.fail = None
    made = await use_cases.create(WITH_KEY)
    assert made.status is Status.CONFIRMED
    assert [(what, status) for what, _, status in inventory.asked] == [("reserve", Status.PENDING)] * 2
    assert len(await use_cases.of_user("ada", 10)) == 1


async def test_a_finished_booking_is_not_finished_again(use_cases: BookingUseCases, inventory: Inventory) -> None:
    first = await use_cases.create(WITH_KEY)
    assert await use_cases.create(WITH_KEY) == await use_cases.complete(first) == first
    assert len(inventory.asked) == 1


async def test_a_retry_of_a_refused_booking_shows_it_cancelled(
    use_cases: BookingUseCases, inventory: Inventory
) -> None:
    inventory.fail = TicketsRefused("sold out")
    with pytest.raises(TicketsRefused):
        await use_cases.create(WITH_KEY)
    inventory.fail = None
    assert (await use_cases.create(WITH_KEY)).status is Status.CANCELLED
    assert len(inventory.asked) == 1


async def test_complete_may_be_entered_twice(
    use_cases: BookingUseCases, bookings: InMemoryBookings, inventory: Inventory
) -> None:
    """A retry that overlaps with the first try: both hold the booking as PENDING."""
    pending = await bookings.claim(WITH_KEY)
    first, second = await use_cases.complete(pending), await use_cases.complete(pending)
    assert first == second
    assert first.status is Status.CONFIRMED
    assert [what for what, *_ in inventory.asked] == ["reserve", "reserve"]


async def test_a_booking_cancelled_on_the_way_stays_cancelled(
    use_cases: BookingUseCases, bookings: InMemoryBookings
) -> None:
    pending = await bookings.claim(WITH_KEY)
    await use_cases.cancel(pending.id, "changed my mind")
    ended = await use_cases.complete(pending)
    assert (ended.status, ended.reason) == (Status.CANCELLED, "changed my mind")


async def test_a_late_refusal_does_not_change_the_reason(
    use_cases: BookingUseCases, bookings: InMemoryBookings, inventory: Inventory
) -> None:
    pending = await bookings.claim(WITH_KEY)
    await use_cases.cancel(pending.id, "changed my mind")
    inventory.fail = TicketsRefused("cancelled before")
    with pytest.raises(TicketsRefused):
        await use_cases.complete(pending)
    assert (await use_cases.get(pending.id)).reason == "changed my mind"


async def test_a_refused_try_does_not_undo_what_another_try_has_confirmed(
    use_cases: BookingUseCases, bookings: InMemoryBookings, inventory: Inventory
) -> None:
    """A retry hears "sold out"; then tickets come back, and the first try, late on its way, gets them."""
    pending = await bookings.claim(WITH_KEY)
    confirmed = await use_cases.complete(pending)
    inventory.fail = TicketsRefused("sold out")
    assert await use_cases.complete(pending) == confirmed
    assert (await use_cases.get(pending.id)).status is Status.CONFIRMED


async def test_a_key_for_another_wish_is_refused_and_changes_nothing(
    use_cases: BookingUseCases, inventory: Inventory
) -> None:
    await use_cases.create(WITH_KEY)
    with pytest.raises(KeyReused):
        await use_cases.create(NewBooking("ada", "opera", 2, "key"))
    assert len(await use_cases.of_user("ada", 10)) == 1
    assert len(inventory.asked) == 1


async def test_two_users_may_choose_the_same_key(use_cases: BookingUseCases) -> None:
    bob = await use_cases.create(NewBooking("bob", "opera", 1, "key"))
    assert (await use_cases.create(WITH_KEY)).id != bob.id


async def test_without_a_key_every_call_books(use_cases: BookingUseCases) -> None:
    assert (await use_cases.create(WISH)).id != (await use_cases.create(WISH)).id


async def test_cancel_moves_the_status_before_it_gives_tickets_back(
    use_cases: BookingUseCases, inventory: Inventory
) -> None:
    made = await use_cases.create(WISH)
    cancelled = await use_cases.cancel(made.id, "ill")
    assert (cancelled.status, cancelled.reason) == (Status.CANCELLED, "ill")
    assert inventory.asked[-1] == ("release", made.id, Status.CANCELLED)


async def test_cancelling_again_changes_nothing_and_gives_back_again(
    use_cases: BookingUseCases, inventory: Inventory
) -> None:
    """The first try may have died between the two steps; giving back is safe to repeat."""
    made = await use_cases.create(WISH)
    first = await use_cases.cancel(made.id, "ill")
    assert await use_cases.cancel(made.id, "bored") == first
    assert [what for what, *_ in inventory.asked] == ["reserve", "release", "release"]


async def test_a_release_that_fails_is_heard_and_can_be_repeated(
    use_cases: BookingUseCases, inventory: Inventory
) -> None:
    made = await use_cases.create(WISH)
    inventory.fail = Unavailable("no answer")
    with pytest.raises(Unavailable):
        await use_cases.cancel(made.id)
    inventory.fail = None
    assert (await use_cases.cancel(made.id)).status is Status.CANCELLED


async def test_unknown_bookings_are_not_found(use_cases: BookingUseCases, inventory: Inventory) -> None:
    unknown = uuid.uuid4()
    with pytest.raises(BookingNotFound):
        await use_cases.get(unknown)
    with pytest.raises(BookingNotFound):
        await use_cases.cancel(unknown)
    assert inventory.asked == []


async def test_phase_1_has_tickets_for_everyone(bookings: InMemoryBookings) -> None:
    use_cases = BookingUseCases(bookings, EveryEventHasTickets())
    made = await use_cases.create(NewBooking("ada", "no-such-event", 10))
    cancelled = await use_cases.cancel(made.id)
    assert (made.status, cancelled.status) == (Status.CONFIRMED, Status.CANCELLED)
