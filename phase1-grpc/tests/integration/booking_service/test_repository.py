"""What every `BookingRepository` promises: the one in PostgreSQL, and the one in memory that stands in for it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from booking_service.config import BookingSettings
from booking_service.domain import Booking, BookingNotFound, NewBooking, Status, origins
from booking_service.memory import InMemoryBookings
from booking_service.postgres import PostgresBookings
from booking_service.repository import BookingRepository
from chassis.paging import Position
from chassis.postgres import Database

ADA = NewBooking("ada", "concert", 2)
WITH_KEY = NewBooking("ada", "concert", 2, "key")


@pytest.fixture(params=["memory", "postgres"])
async def bookings(request: pytest.FixtureRequest) -> AsyncIterator[BookingRepository]:
    if request.param == "memory":
        yield InMemoryBookings()
        return
    settings: BookingSettings = request.getfixturevalue("settings")
    async with Database(settings) as database:
        yield PostgresBookings(database)


async def test_a_claim_is_a_pending_booking_for_its_wish(bookings: BookingRepository) -> None:
    made = await bookings.claim(WITH_KEY)
    assert (made.user_id, made.event_id, made.ticket_count, made.key) == ("ada", "concert", 2, "key")
    assert (made.status, made.reason, made.created_at) == (Status.PENDING, "", made.updated_at)
    assert made.created_at.tzinfo is not None
    assert await bookings.get(made.id) == made


async def test_each_claim_without_a_key_is_a_booking_of_its_own(bookings: BookingRepository) -> None:
    made = await asyncio.gather(*(bookings.claim(ADA) for _ in range(10)))
    assert len({booking.id for booking in made}) == 10


async def test_claims_with_one_key_at_once_are_one_booking(bookings: BookingRepository) -> None:
    made = await asyncio.gather(*(bookings.claim(WITH_KEY) for _ in range(20)))
    assert len({booking.id for booking in made}) == 1


async def test_a_key_belongs_to_its_user(bookings: BookingRepository) -> None:
    ada = await bookings.claim(WITH_KEY)
    bob = await bookings.claim(NewBooking("bob", "concert", 2, "key"))
    assert (ada.user_id, bob.user_id) == ("ada", "bob")
    assert ada.id != bob.id


async def test_a_key_gives_its_booking_whatever_the_new_wish_says(bookings: BookingRepository) -> None:
    """Whether the wish fits is the domain's to say: it sees what the key stands for."""
    ada = await bookings.claim(WITH_KEY)
    assert await bookings.claim(NewBooking("ada", "opera", 9, "key")) == ada


async def test_a_key_gives_its_booking_also_after_it_has_moved(bookings: BookingRepository) -> None:
    made = await bookings.claim(WITH_KEY)
    cancelled = await bookings.move(made.id, Status.CANCELLED, "ill")
    assert await bookings.claim(WITH_KEY) == cancelled


@pytest.mark.parametrize("start", Status)
@pytest.mark.parametrize("target", Status)
async def test_only_legal_moves_are_made(bookings: BookingRepository, start: Status, target: Status) -> None:
    booking = await bookings.claim(ADA)
    if start is not Status.PENDING:
        booking = await bookings.move(booking.id, start)
    moved = await bookings.move(booking.id, target, "why" if target is Status.CANCELLED else "")
    legal = start in origins(target)
    assert moved.status is (target if legal else start)
    assert moved.reason == ("why" if legal and target is Status.CANCELLED else "")
    assert (moved.updated_at > booking.updated_at) is legal
    assert await bookings.get(booking.id) == moved
    assert moved.created_at == booking.created_at


@pytest.mark.parametrize("target", Status)
async def test_an_unknown_booking_is_not_moved(bookings: BookingRepository, target: Status) -> None:
    with pytest.raises(BookingNotFound):
        await bookings.move(uuid.uuid4(), target)


async def test_an_unknown_booking_is_not_found(bookings: BookingRepository) -> None:
    with pytest.raises(BookingNotFound):
        await bookings.get(uuid.uuid4())


async def pages(
    bookings: BookingRepository, size: int, between: Callable[[], Awaitable[None]] | None = None
) -> list[Booking]:
    """All of ada's bookings, page by page; `between` happens after each page."""
    found: list[Booking] = []
    after = None
    while page := await bookings.of_user("ada", size, after):
        found += page
        after = Position(page[-1].created_at, page[-1].id)
        if between is not None:
            await between()
    return found


@pytest.mark.parametrize("size", [1, 3, 7, 20])
async def test_pages_show_everything_once_newest_first(bookings: BookingRepository, size: int) -> None:
    made = [await bookings.claim(ADA) for _ in range(7)]
    await bookings.claim(NewBooking("bob", "concert", 1))
    assert await pages(bookings, size) == made[::-1]


async def test_bookings_made_meanwhile_do_not_move_the_pages(bookings: BookingRepository) -> None:
    made = [await bookings.claim(ADA) for _ in range(9)]

    async def book_more() -> None:
        await asyncio.gather(*(bookings.claim(ADA) for _ in range(5)))

    assert await pages(bookings, 2, book_more) == made[::-1]


async def test_a_user_without_bookings_has_an_empty_list(bookings: BookingRepository) -> None:
    assert await bookings.of_user("nobody", 10) == []
