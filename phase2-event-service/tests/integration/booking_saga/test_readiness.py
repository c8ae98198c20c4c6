"""On phase 1's tables the booking service of phase 2 is not ready: recovery would fail each time."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import grpc
import pytest
from booking_saga.app import MIGRATIONS, saga_app
from booking_saga.config import SagaSettings
from booking_service.app import MIGRATIONS as PHASE_1
from booking_service.app import SERVICE, booking_app
from chassis.migrations import create_database, migrate
from chassis.server import SERVING, GrpcServer
from event_service.config import EventSettings
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from tests.waiting import until_async
from workbook.part import Part
from workbook.postgres import connect


@pytest.fixture
def half_migrated(migrated_events: EventSettings, postgres: Part) -> Iterator[SagaSettings]:
    settings = SagaSettings(
        **{name: getattr(migrated_events, name) for name in ("db_host", "db_port", "db_user", "db_password")},
        db_name="half_migrated",
        grpc_port=0,
    )
    create_database(settings)
    migrate(settings, [PHASE_1])
    yield settings
    with connect(postgres.address) as connection:
        connection.execute(f"DROP DATABASE {settings.db_name} WITH (FORCE)")


@asynccontextmanager
async def health(server: GrpcServer) -> AsyncIterator[health_pb2_grpc.HealthStub]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield health_pb2_grpc.HealthStub(channel)


async def serves(stub: health_pb2_grpc.HealthStub) -> bool:
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=SERVICE))
    return bool(answer.status == SERVING)


async def test_it_is_ready_once_recovery_can_work_and_says_what_it_misses(half_migrated: SagaSettings) -> None:
    with capture_logs() as logs:
        async with saga_app(half_migrated) as app, health(app.server) as stub:

            async def told() -> bool:
                return any(line["event"] in {"ready", "not ready"} for line in logs)

            await until_async(told)
            assert ["settle_at" in line["why"] for line in logs if line["event"] == "not ready"] == [True]
            assert not await serves(stub)
            migrate(half_migrated, MIGRATIONS)
            await until_async(lambda: serves(stub))


async def test_phase_1_needs_no_more_than_its_own_tables(half_migrated: SagaSettings) -> None:
    async with booking_app(half_migrated) as app, health(app.server) as stub:
        await until_async(lambda: serves(stub))
