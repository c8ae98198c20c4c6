"""When the gateway is ready, and when its door is open: shut until all services are there, and from its stop on."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from api_gateway.readiness import Readiness
from chassis.server import GrpcServer
from chassis.settings import ServiceSettings

from tests.waiting import until_async

NAMES = ("booking.BookingService", "user.UserService")


class Behind:
    """A service that can work while `well`."""

    def __init__(self, name: str) -> None:
        self.name, self.well = name, True
        self.server = GrpcServer(ServiceSettings(grpc_port=0, drain_delay=0, stop_grace=0.1), name)

    async def ready(self) -> None:
        if not self.well:
            raise ConnectionError("its database is away")


@asynccontextmanager
async def watching(*behind: Behind) -> AsyncIterator[Readiness]:
    async with AsyncExitStack() as stack:
        for one in behind:
            await stack.enter_async_context(one.server.running(one.ready))
        addresses = {one.name: f"127.0.0.1:{one.server.port}" for one in behind}
        yield await stack.enter_async_context(Readiness(addresses).watched())


async def test_the_door_is_shut_until_all_services_are_there() -> None:
    bookings, users = map(Behind, NAMES)
    users.well = False
    async with watching(bookings, users) as readiness:
        await until(readiness, missing={"user.UserService"})
        assert not readiness.open
        users.well = True
        await until(readiness, missing=set())
        assert readiness.open


async def test_one_service_that_goes_away_later_leaves_the_door_open() -> None:
    bookings, users = map(Behind, NAMES)
    async with watching(bookings, users) as readiness:
        await until(readiness, missing=set())
        users.well = False
        await until(readiness, missing={"user.UserService"})
        assert readiness.open


async def test_the_door_is_shut_from_the_stop_on() -> None:
    async with watching(Behind(NAMES[0])) as readiness:
        await until(readiness, missing=set())
        readiness.stop()
        assert not readiness.open


async def until(readiness: Readiness, missing: set[str]) -> None:
    """Returns when these are missing, and no others."""

    async def so() -> bool:
        return set(readiness.missing) == missing

    await until_async(so)
