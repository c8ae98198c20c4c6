"""A pod whose end a learner wrote: a real server in this process, told to stop as a kubelet does it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
from booking_service.proto import booking_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from workbook.ports import free_port
from workbook.props.busy import SERVICE, BusyTickets, busy

Stop = Callable[[HealthServicer, grpc.aio.Server, float], Awaitable[object]]

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
REGULAR = "regular"  # the user of the callers that keep a connection to each pod
_FOUND = 5  # seconds that somebody has to find a new pod


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of a pod's life. `last_words` is what its process has to say when it has no calls any more."""

    until_ready: float
    pre_stop: float
    stop_grace: float
    killed_after: float
    slowest: float
    last_words: float


@dataclass
class Ended:
    """What was seen of its end."""

    told_not_serving: set[str] = field(default_factory=set)
    still_under_way: int = 0  # calls, when its process ended by itself
    killed: bool = False


class ToldPod:
    """Made inside the running event loop."""

    def __init__(self, stop: Stop, times: Times) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.ended = Ended()
        self._stop, self._times = stop, times
        self._health, self._server = HealthServicer(), grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._heard = {"": asyncio.Event(), SERVICE: asyncio.Event()}
        self._channel: grpc.aio.Channel | None = None
        self._watching: list[asyncio.Task[None]] = []
        self.tickets = BusyTickets(times.slowest)

    async def starts(self) -> None:
        """Returns when those who keep a connection to each pod have found it, too, as after `minReadySeconds`."""
        await asyncio.sleep(self._times.until_ready)
        await self.opens()
        await _soon(self.tickets.asked_by[REGULAR])

    async def opens(self) -> None:
        """It serves, and those who watch its health know."""
        await self._health.set(SERVICE, SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        booking_pb2_grpc.add_BookingServiceServicer_to_server(busy(self.tickets), self._server)
        self._server.add_insecure_port(self.address)
        await self._server.start()
        self._channel = grpc.aio.insecure_channel(self.address)
        self._watching = [asyncio.create_task(self._watch(self._channel, name)) for name in self._heard]
        for heard in self._heard.values():
            await _soon(heard)

    async def goes(self) -> None:
        try:
            async with asyncio.timeout(self._times.killed_after) as patience:
                await asyncio.sleep(self._times.pre_stop)
                await self._stop(self._health, self._server, self._times.stop_grace)
                await asyncio.sleep(self._times.last_words)
                self.ended.still_under_way = self.tickets.under_way
        except TimeoutError:
            if not patience.expired():
                raise
            self.ended.killed = True
        await self.ends()

    async def ends(self) -> None:
        """Its process is gone, whatever it was doing."""
        for watching in self._watching:
            watching.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        if self._channel is not None:
            await self._channel.close()
        await self._server.stop(0.01)  # with no grace at all, gRPC logs each call that it cuts off

    async def _watch(self, channel: grpc.aio.Channel, name: str) -> None:
        """As a balancer does that asks for health: when it hears NOT_SERVING, it goes."""
        asked = health_pb2.HealthCheckRequest(service=name)
        watch: Any = health_pb2_grpc.HealthStub(channel).Watch(asked)
        with suppress(grpc.aio.AioRpcError):
            async for answer in watch:
                self._heard[name].set()
                if answer.status == NOT_SERVING:
                    self.ended.told_not_serving.add(name)
                    watch.cancel()
                    return


async def _soon(happened: asyncio.Event) -> None:
    """Waits for it, but not for ever: what follows shows what is wrong."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_FOUND):
            await happened.wait()
