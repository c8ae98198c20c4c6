"""Whether the gateway can do all of its work, which takes every service behind it; and whether its door is open."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import structlog
from chassis.channel import open_channel
from grpc_health.v1 import health_pb2, health_pb2_grpc

_PATIENCE = 1.0  # seconds that a service may take to answer
_STOPPING = {"api-gateway": "STOPPING"}

log = structlog.get_logger(__name__)


class Readiness:
    """`missing` says of each service that cannot be used what it said last; before the first answers, all are."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._services = services
        self._missing = dict.fromkeys(services, "UNKNOWN")
        self._been_ready = False
        self._stopping = False

    @property
    def missing(self) -> Mapping[str, str]:
        return _STOPPING if self._stopping else self._missing

    @property
    def open(self) -> bool:
        """Whether new requests may come: from when it was ready for the first time until it stops.

        A service that goes away later shuts no door: whoever needs the others is still served, and all gateways ask
        the same services, so no other one would do better.
        """
        return self._been_ready and not self._stopping

    def stop(self) -> None:
        """From now on it is neither ready nor open, so that nobody sends new requests."""
        self._stopping = True

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["Readiness"]:
        """Asks every second inside the block, and ten times a second until all are there."""
        async with AsyncExitStack() as stack:
            # Channels without telemetry: questions that come every second from everywhere would be all one sees.
            stubs = {
                name: health_pb2_grpc.HealthStub(
                    await stack.enter_async_context(open_channel(address, deadline_limit=_PATIENCE))
                )
                for name, address in self._services.items()
            }
            watch = asyncio.create_task(self._watch(stubs))
            try:
                yield self
            finally:
                watch.cancel()
                await asyncio.wait([watch])

    async def _watch(self, stubs: Mapping[str, health_pb2_grpc.HealthStub]) -> None:
        while True:
            said = await asyncio.gather(*(_said(stub, name) for name, stub in stubs.items()))
            missing = {name: what for name, what in zip(stubs, said, strict=True) if what != "SERVING"}
            if missing != self._missing:
                log.info("not ready" if missing else "ready", **({"missing": missing} if missing else {}))
            self._missing = missing
            self._been_ready = self._been_ready or not missing
            await asyncio.sleep(0.1 if missing else 1)


async def _said(stub: health_pb2_grpc.HealthStub, service: str) -> str:
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
