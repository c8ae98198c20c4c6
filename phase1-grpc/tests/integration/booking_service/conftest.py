"""Bookings in the session's PostgreSQL, and the service in front of them."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import pytest
from booking_service.app import booking_app
from booking_service.config import BookingSettings
from booking_service.postgres import PostgresBookings
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from chassis.postgres import Database
from chassis.server import GrpcServer

if TYPE_CHECKING:
    from booking_service.proto.booking_pb2_grpc import BookingServiceAsyncStub


@pytest.fixture
async def database(settings: BookingSettings) -> AsyncIterator[Database]:
    async with Database(settings.model_copy(update={"db_pool_size": 8})) as database:
        yield database


@pytest.fixture
def bookings(database: Database) -> PostgresBookings:
    return PostgresBookings(database)


@pytest.fixture
async def server(settings: BookingSettings) -> AsyncIterator[GrpcServer]:
    """The whole service as phase 1 has it, ready to be called."""
    async with booking_app(settings) as app:
        yield app.server


@pytest.fixture
async def channel(server: GrpcServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "BookingServiceAsyncStub":
    return BookingServiceStub(channel)
