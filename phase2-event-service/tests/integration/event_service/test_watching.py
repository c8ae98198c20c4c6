"""Watching over real connections: who leaves is forgotten, who sleeps holds up nobody, what fails is tried again."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.watched import CONCERT, MATCH, Service, Waiting, read, served, watching

from tests.waiting import until_async

MANY = 6000  # changes: about 300 KB of messages, far more than a connection holds for a client that does not read
FEW = 3500

CLIENT = """
import sys, grpc
from event_service.proto.event_pb2 import WatchAvailabilityRequest
from event_service.proto.event_pb2_grpc import EventServiceStub
stub, request = EventServiceStub(grpc.insecure_channel(sys.argv[1])), WatchAvailabilityRequest(event_id=sys.argv[2])
for _ in stub.WatchAvailability(request):
    print("one", flush=True)
"""


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with served() as service:
        yield service


async def test_who_hangs_up_is_forgotten(service: Service) -> None:
    async with watching(service, MATCH) as stays, watching(service, CONCERT) as leaves:
        await asyncio.gather(read(stays, 1), read(leaves, 1))
        leaves.cancel()
        await service.forgets(CONCERT)


async def test_whose_connection_breaks_is_forgotten(service: Service) -> None:
    async with watching(service, MATCH) as stays:
        async with watching(service, CONCERT) as leaves:
            await asyncio.gather(read(stays, 1), read(leaves, 1))
        await service.forgets(CONCERT)


async def test_whose_deadline_passes_is_forgotten(service: Service) -> None:
    async with watching(service, MATCH) as stays, watching(service, CONCERT, seconds=1.5) as leaves:
        await asyncio.gather(read(stays, 1), read(leaves, 1))
        await service.forgets(CONCERT)


async def test_whose_process_is_killed_is_forgotten(service: Service) -> None:
    async with watching(service, MATCH) as stays:
        await read(stays, 1)
        command = [sys.executable, "-c", CLIENT, service.address, str(CONCERT)]
        environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
        client = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
        assert client.stdout
        assert await client.stdout.readline() == b"one\n"
        client.kill()
        await client.communicate()
        await service.forgets(CONCERT)


async def asleep_and_awake(service: Service, sleeper: Any, awake: Any) -> None:
    """Returns once the sleeper's connection is full, and the one awake has had thousands of numbers since."""
    await asyncio.gather(read(sleeper, 1), read(awake, 1))
    await read(awake, MANY)
    full = service.sent[str(CONCERT)]
    await read(awake, FEW)
    assert service.sent[str(CONCERT)] == full < FEW


async def test_who_sleeps_holds_up_nobody_and_wakes_up_to_what_is_true_now(service: Service) -> None:
    async with watching(service, CONCERT) as sleeper, watching(service, MATCH) as awake:
        await asleep_and_awake(service, sleeper, awake)
        now, seen, last = service.readings.count, 0, 0
        while last < now:
            last, seen = await read(sleeper, 1), seen + 1
        assert seen < FEW  # what was on its way already, and then the newest: the others were never kept for it


async def test_who_leaves_asleep_is_forgotten_too(service: Service) -> None:
    async with watching(service, CONCERT) as sleeper, watching(service, MATCH) as awake:
        await asleep_and_awake(service, sleeper, awake)
        sleeper.cancel()
        await service.forgets(CONCERT)


async def test_waiting_for_every_watcher_would_hold_up_all() -> None:
    """The negative control."""
    async with served(Waiting) as service, watching(service, CONCERT) as sleeper, watching(service, MATCH) as awake:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asleep_and_awake(service, sleeper, awake)
        assert 1 < service.sent[str(MATCH)] < MANY


async def test_a_failed_reading_is_not_the_last(service: Service) -> None:
    async with watching(service, MATCH) as stream:
        await read(stream, 1)
        service.readings.failing = True
        failed = service.readings.count

        async def has_failed() -> bool:
            return service.readings.count > failed + 1

        await until_async(has_failed)
        service.readings.failing = False
        assert await read(stream, 1000) > failed
