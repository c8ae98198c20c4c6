"""How the service of tests/words.py says that it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.words import SERVICE


async def health(channel: grpc.aio.Channel, service: str = SERVICE) -> int:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    status: int = answer.status
    return status


@asynccontextmanager
async def watching(channel: grpc.aio.Channel) -> AsyncIterator[AsyncIterator[int]]:
    """The service's health as a stream of changes."""
    call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    try:
        yield (answer.status async for answer in call)
    finally:
        call.cancel()


async def says(channel: grpc.aio.Channel, service: str, status: int) -> bool:
    return await health(channel, service) == status
