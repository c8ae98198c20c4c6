"""The services of phase 5 in this process, real ones on the session's PostgreSQL, and gateways before them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from access.keys import make_keys, own_keys
from access.signing import Signer
from api_gateway.app import Gateway, gateway
from api_gateway.config import GatewaySettings
from booking_outbox.app import MIGRATIONS as BOOKING_MIGRATIONS
from chassis.migrations import create_database, migrate
from confluent_kafka import Producer
from event_service.app import MIGRATIONS as EVENT_MIGRATIONS
from opentelemetry.sdk.trace.export import SpanExporter
from phase5 import HOLDERS
from phase5.app import guarded_bookings, guarded_events, observed_users
from phase5.config import GuardedBookingSettings, GuardedEventSettings, ObservedUserSettings
from user_service.app import MIGRATIONS as USER_MIGRATIONS

from tests.waiting import until_async
from workbook.part import Part
from workbook.postgres import PASSWORD, USER

UNLIMITED: dict[str, Any] = {
    "user_rate": "1000000/minute",
    "address_rate": "1000000/minute",
    "sign_in_rate": "1000000/minute",
}
_CHEAP: dict[str, Any] = {
    "hash_time_cost": 1,
    "hash_memory_cost": 8,
    "hash_parallelism": 1,
    "tries_per_account": 1_000_000,
}


@dataclass
class Shop:
    """Where the services are, and the key that their tokens are signed with."""

    keys: Path
    booking_settings: GuardedBookingSettings
    event_settings: GuardedEventSettings
    addresses: dict[str, str] = field(default_factory=dict)

    def token(self, *roles: str, user: str = "") -> str:
        """A token as user-service would sign it, without the minute of hashing."""
        signer = Signer("user-service", own_keys(self.keys, "user-service")[0])
        return signer.token(user or str(uuid.uuid4()), roles or ["customer"], 600)

    def headers(self, *roles: str, user: str = "") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(*roles, user=user)}"}

    def settings(self, **changed: Any) -> GatewaySettings:
        given = {"http_port": 0, "metrics_port": 0, "keys_folder": self.keys, "stop_grace": 1, **self.addresses}
        return GatewaySettings(**{**given, **changed})

    @asynccontextmanager
    async def gateway(self, exporter: SpanExporter | None = None, **changed: Any) -> AsyncIterator[httpx.AsyncClient]:
        """A client of a new gateway with these settings, once that is ready."""
        async with gateway(self.settings(**changed), exporter) as running, client_of(running) as client:

            async def is_ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await until_async(is_ready)
            yield client

    async def event(self, client: httpx.AsyncClient, capacity: int = 100) -> str:
        """The id of a new event."""
        made = await client.post("/v1/events", json=new_event(capacity), headers=self.headers("organiser"))
        assert made.status_code == 201, made.text
        return str(made.json()["id"])


def client_of(running: Gateway) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=30)


def new_event(capacity: int = 100) -> dict[str, Any]:
    starts_at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    return {"name": "Jazz night", "kind": "concert", "starts_at": starts_at, "venue": "Babylon", "capacity": capacity}


def booking(event_id: str, tickets: int = 1) -> dict[str, Any]:
    return {"event_id": event_id, "ticket_count": tickets}


def key(name: str = "") -> dict[str, str]:
    return {"Idempotency-Key": name or uuid.uuid4().hex}


@asynccontextmanager
async def open_shop(postgres: Part, folder: Path) -> AsyncIterator[Shop]:
    """The running services; databases of this module's own, and a broker inside librdkafka."""
    make_keys(folder, HOLDERS)
    host, port = postgres.address.split(":")
    shared: dict[str, Any] = {
        "db_host": host,
        "db_port": int(port),
        "db_user": USER,
        "db_password": PASSWORD,
        "grpc_port": 0,
        "metrics_port": 0,
        "keys_folder": folder,
        "stop_grace": 0.5,
    }
    name = f"shop_{uuid.uuid4().hex[:8]}"
    async with AsyncExitStack() as stack:
        broker = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
        stack.callback(broker.close)
        (here,) = broker.list_topics(timeout=5).brokers.values()
        users = ObservedUserSettings(**shared, **_CHEAP, db_name=f"{name}_users")
        events = GuardedEventSettings(**shared, db_name=f"{name}_events", watch_interval=0.02)
        bookings = GuardedBookingSettings(
            **shared, db_name=f"{name}_bookings", kafka_address=f"{here.host}:{here.port}", bookings_topic=name
        )
        await asyncio.to_thread(_made, [(users, [USER_MIGRATIONS]), (events, [EVENT_MIGRATIONS])])
        await asyncio.to_thread(_made, [(bookings, BOOKING_MIGRATIONS)])
        user_server = await stack.enter_async_context(observed_users(users))
        where = {"user_address": f"127.0.0.1:{user_server.port}"}
        events = events.model_copy(update=where)
        where["event_address"] = f"127.0.0.1:{(await stack.enter_async_context(guarded_events(events))).port}"
        bookings = bookings.model_copy(update=where)
        app = await stack.enter_async_context(guarded_bookings(bookings))
        yield Shop(folder, bookings, events, {**where, "booking_address": f"127.0.0.1:{app.server.port}"})


def _made(databases: Sequence[tuple[Any, Sequence[Path]]]) -> None:
    for settings, migrations in databases:
        create_database(settings)
        migrate(settings, migrations)
