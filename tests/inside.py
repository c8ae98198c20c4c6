"""Both services of phase 2 in this process, over databases of their own: a test may stand between them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from booking_saga.app import MIGRATIONS, saga_app
from booking_saga.config import SagaSettings
from booking_service.domain import Booking, NewBooking, Status
from booking_service.inventory import TicketInventory, TicketsRefused
from booking_service.service import BookingUseCases
from chassis.errors import ResourceExhausted, Unavailable
from chassis.migrations import create_database, migrate
from chassis.postgres import Database
from event_service.app import MIGRATIONS as EVENT_MIGRATIONS
from event_service.app import event_app
from event_service.config import EventSettings
from event_service.domain import NewEvent
from event_service.postgres import PostgresEvents
from invariants import Broken, broken_laws

from workbook.part import Part
from workbook.postgres import PASSWORD, USER, connect

SOON = datetime.now(UTC) + timedelta(days=30)


@dataclass
class Inside:
    """The running system; `inventory` is the booking side's port to the event service, to be wrapped by a test."""

    use_cases: BookingUseCases
    events: PostgresEvents
    settings: SagaSettings
    event_settings: EventSettings
    acknowledged: set[uuid.UUID] = field(default_factory=set)
    cancelled: set[uuid.UUID] = field(default_factory=set)

    @property
    def inventory(self) -> TicketInventory:
        return self.use_cases._inventory

    @inventory.setter
    def inventory(self, wrapped: TicketInventory) -> None:
        self.use_cases._inventory = wrapped

    async def event(self, capacity: int) -> str:
        return str((await self.events.create(NewEvent("Jazz", "concert", SOON, "UTC", "Babylon", capacity))).id)

    async def left(self, event_id: str) -> int:
        return (await self.events.get(uuid.UUID(event_id))).available

    async def book(self, user: str, event_id: str, tickets: int = 1) -> Booking | str:
        """The booking, or the reason of its refusal; tries again with its key when something is busy or away."""
        wish = NewBooking(user, event_id, tickets, key="key")
        try:
            booking = await tried_again(lambda: self.use_cases.create(wish))
        except TicketsRefused as refusal:
            return refusal.reason
        if booking.status is Status.CONFIRMED:
            self.acknowledged.add(booking.id)
        return booking

    async def cancel(self, booking_id: uuid.UUID) -> Booking:
        self.cancelled.add(booking_id)
        return await tried_again(lambda: self.use_cases.cancel(booking_id))

    async def broken_at_rest(self, patience: float) -> list[Broken]:
        """What is still broken after `patience` seconds; returns at once when nothing is."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while (broken := await asyncio.to_thread(self._broken)) and loop.time() < end:  # noqa: ASYNC110 - in databases
            await asyncio.sleep(0.05)
        return broken

    @contextmanager
    def sql(self) -> Iterator[psycopg.Connection]:
        """A connection of the test's own to the bookings."""
        with connect(f"{self.settings.db_host}:{self.settings.db_port}", self.settings.db_name) as connection:
            yield connection

    def _broken(self) -> list[Broken]:
        kept = self.acknowledged - self.cancelled
        return broken_laws(
            self.settings, self.event_settings, acknowledged=self.acknowledged, kept=kept, pending_limit=0
        )


@asynccontextmanager
async def inside(postgres: Part, name: str, port: int | None = None) -> AsyncIterator[Inside]:
    """A system whose databases have `name` in theirs; it reaches PostgreSQL through `port`, if given."""
    host, own = postgres.address.split(":")
    where = {"db_host": host, "db_port": port or int(own), "db_user": USER, "db_password": PASSWORD, "grpc_port": 0}
    event_settings = EventSettings(**where, db_name=f"{name}_events")
    settings = SagaSettings(**where, db_name=f"{name}_bookings", recovery_interval=0.05)
    await asyncio.to_thread(_made, settings, event_settings)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(event_app(event_settings))
        settings = settings.model_copy(update={"event_address": f"127.0.0.1:{server.port}"})
        app = await stack.enter_async_context(saga_app(settings))
        database = await stack.enter_async_context(Database(event_settings))
        yield Inside(app.use_cases, PostgresEvents(database), settings, event_settings)


async def tried_again(call: Callable[[], Awaitable[Booking]]) -> Booking:
    async with asyncio.timeout(60):
        while True:
            with suppress(Unavailable, ResourceExhausted):
                return await call()
            await asyncio.sleep(0.02)


def _made(settings: SagaSettings, event_settings: EventSettings) -> None:
    for each, migrations in ((settings, MIGRATIONS), (event_settings, [EVENT_MIGRATIONS])):
        create_database(each)
        migrate(each, migrations)
