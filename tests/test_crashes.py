"""Either service dies by SIGKILL at each step of the saga: what is left is put right, by a retry or by itself."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from booking_service.proto import booking_pb2 as pb

from tests.builds.failpoints import AT_BOOKINGS, AT_EVENTS, OF_CANCELLING, OF_RECOVERY, arm, is_armed
from tests.shop import Shop, all_of, open_shop
from tests.waiting import until
from workbook.part import State
from workbook.postgres import connect
from workbook.stack import LocalStack

BOOKING, EVENT = "booking-service", "event-service"
CREATING = [*((BOOKING, point) for point in AT_BOOKINGS), *((EVENT, point) for point in AT_EVENTS)]
CANCELLING = [(service, point) for service, points in OF_CANCELLING.items() for point in points]
RECOVERING = [(service, point) for service, points in OF_RECOVERY.items() for point in points]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("failpoints")


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[LocalStack]:
    environment = {"FAILPOINTS": str(folder), "RECOVERY_INTERVAL": "0.1", "LOG_LEVEL": "error"}
    with LocalStack(2, program="tests.builds", environment=environment) as stack:
        yield stack


@pytest.fixture
async def shop(stack: LocalStack) -> AsyncIterator[Shop]:
    async with open_shop(stack) as shop:
        await shop.book(uuid.uuid4().hex, await shop.event(capacity=1))  # the services have found each other again
        yield shop


async def dies(shop: Shop, service: str) -> None:
    """Returns when the service has reached its failpoint and is running again."""
    part = shop.stack[service]
    await asyncio.to_thread(until, lambda: part.state is State.STOPPED)
    await asyncio.to_thread(part.start)


def rows(shop: Shop, user: str) -> list[tuple[str, str]]:
    with connect(shop.stack["postgres"].address, "booking_db") as connection:
        return connection.execute("SELECT status, reason FROM bookings WHERE user_id = %s", [user]).fetchall()


@pytest.mark.parametrize(("service", "point"), CREATING)
async def test_a_booking_whose_answer_was_lost_is_made_once_by_twenty_retries(
    shop: Shop, folder: Path, service: str, point: str
) -> None:
    """Of four customers one reaches the point and takes the others' answers along; two try again, two never do."""
    event_id = await shop.event(capacity=10)
    users = [f"{name}-{uuid.uuid4().hex}" for name in ("ada", "bob", "eve", "dan")]
    arm(folder, point)
    lost = asyncio.create_task(all_of(*(shop.try_to_book(user, event_id, 2) for user in users)))
    await dies(shop, service)
    assert any(isinstance(answer, grpc.aio.AioRpcError) for answer in await lost)
    for user in users[:2]:
        made = await all_of(*(shop.book(user, event_id, 2) for _ in range(20)))
        assert {type(booking) for booking in made} == {pb.Booking}
        assert {(booking.id, booking.status) for booking in made} == {(made[0].id, "CONFIRMED")}
        assert rows(shop, user) == [("CONFIRMED", "")]
    shop.an_hour_passes()
    await shop.comes_to_rest()
    assert all(rows(shop, user) in ([], [("CONFIRMED", "")], [("CANCELLED", "EXPIRED")]) for user in users[2:])


@pytest.mark.parametrize(("service", "point"), CANCELLING)
async def test_a_cancellation_cut_short_gives_the_tickets_back(
    shop: Shop, folder: Path, service: str, point: str
) -> None:
    event_id = await shop.event(capacity=10)
    booking = await shop.book("ada", event_id, 10, key=uuid.uuid4().hex)
    arm(folder, point)
    cancelled = asyncio.create_task(shop.cancel(booking.id))
    await dies(shop, service)
    await cancelled
    shop.an_hour_passes()
    await shop.comes_to_rest()
    assert await shop.status(booking.id) == "CANCELLED"
    assert await shop.left(event_id) == 10


@pytest.mark.parametrize(("service", "point"), RECOVERING)
async def test_a_recovery_cut_short_is_taken_up_again(shop: Shop, folder: Path, service: str, point: str) -> None:
    """The booking was left PENDING with its tickets by another crash before."""
    event_id = await shop.event(capacity=10)
    user = f"ada-{uuid.uuid4().hex}"
    arm(folder, "before confirm")
    lost = asyncio.create_task(all_of(shop.try_to_book(user, event_id, 10)))
    await dies(shop, BOOKING)
    await lost
    assert (rows(shop, user), await shop.left(event_id)) == ([("PENDING", "")], 0)
    arm(folder, point)
    shop.an_hour_passes()
    await dies(shop, service)
    shop.an_hour_passes()
    await shop.comes_to_rest()
    assert not is_armed(folder, point)
    assert (rows(shop, user), await shop.left(event_id)) == ([("CANCELLED", "EXPIRED")], 10)
