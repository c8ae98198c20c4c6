"""The life of a gRPC server: NOT_SERVING until ready, reflection, a graceful end."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from chassis.calls_at_once import CallsAtOnce
from chassis.deadlines import ServerDeadlines
from chassis.error_status import ErrorStatus
from chassis.settings import CannotStart, ServiceSettings
from chassis.unreadable import RefuseUnreadable

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_MORE = 100  # calls above both limits that gRPC lets in: those we refuse ourselves, and health checks
OVERALL = ""  # the health protocol's name for the process as a whole

log = structlog.get_logger(__name__)


class CannotListen(CannotStart):
    """Something else listens where this server should, or the address is not of this machine."""


async def nothing_to_end() -> None:
    """The ending of a service without streams of its own."""


class GrpcServer:
    """A gRPC server with health, reflection and the chassis' interceptors.

    Two health entries: "" is the process (up until it stops), `service` is whether it can do its work now.
    Later phases plug interceptors `outside` (they see final statuses: metrics, traces) or `inside` (they may raise a
    `ServiceError`: authentication).
    """

    def __init__(
        self,
        settings: ServiceSettings,
        service: str,
        *,
        outside: Sequence[grpc.aio.ServerInterceptor] = (),
        inside: Sequence[grpc.aio.ServerInterceptor] = (),
    ) -> None:
        self._settings = settings
        self._service = service
        chassis = (
            ErrorStatus(service),
            CallsAtOnce(settings.grpc_max_concurrent_calls, settings.grpc_max_streams),
            ServerDeadlines(settings.deadline_limit),
        )
        self.grpc = grpc.aio.server(
            interceptors=[*outside, *chassis, *inside, RefuseUnreadable()],
            maximum_concurrent_rpcs=settings.grpc_max_concurrent_calls + settings.grpc_max_streams + _MORE,
            options=[
                ("grpc.so_reuseport", 0),  # else two servers on one port both start, and share its calls at random
                ("grpc.max_receive_message_length", settings.grpc_max_message_bytes),
                ("grpc.max_connection_age_ms", settings.grpc_max_connection_age * 1000),
            ],
        )
        self._health = HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)
        names = (service, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self.grpc)
        self.port = settings.grpc_port

    @asynccontextmanager
    async def running(
        self, ready: Callable[[], Awaitable[object]], ending: Callable[[], Awaitable[object]] = nothing_to_end
    ) -> AsyncIterator["GrpcServer"]:
        """Serves inside the block. `ready` raises while the service cannot work; it is asked every second.

        `ending` ends the service's own streams: running calls are about to get their grace, and a stream takes it all.
        """
        await self._report(NOT_SERVING, OVERALL, self._service)
        address = f"{self._settings.grpc_host}:{self._settings.grpc_port}"
        try:
            _try_out(self._settings.grpc_host, self._settings.grpc_port)
            self.port = self.grpc.add_insecure_port(address)
        except (OSError, RuntimeError) as error:
            raise CannotListen(f"cannot listen on {address}: {getattr(error, 'strerror', None) or error}") from error
        await self.grpc.start()
        log.info("listening", port=self.port)
        watch = asyncio.create_task(self._watch(ready))
        try:
            yield self
        finally:
            watch.cancel()
            await self._stop(ending)

    async def until_stopped(self) -> None:
        """Returns on SIGTERM or SIGINT."""
        await until_told()

    async def _watch(self, ready: Callable[[], Awaitable[object]]) -> None:
        was = None
        while True:
            now, why = SERVING, ""
            try:
                async with asyncio.timeout(3):
                    await ready()
            except Exception as error:  # noqa: BLE001 - whatever keeps it from working, it is not ready
                now, why = NOT_SERVING, str(error) or type(error).__name__
            if now != was:
                log.info("ready" if now == SERVING else "not ready", why=why)
                await self._report(now, self._service)
                if now == SERVING:  # once ready, the process is up, whatever goes away
                    await self._report(SERVING, OVERALL)
            was = now
            await asyncio.sleep(1 if now == SERVING else 0.1)

    async def _report(self, status: health_pb2.HealthCheckResponse.ServingStatus, *services: str) -> None:
        for service in services:
            await self._health.set(service, status)

    async def _stop(self, ending: Callable[[], Awaitable[object]]) -> None:
        log.info("stopping")
        await self._report(NOT_SERVING, OVERALL, self._service)
        await asyncio.sleep(self._settings.drain_delay)  # time for load balancers to see NOT_SERVING
        await ending()
        await self.grpc.stop(self._settings.stop_grace)
        log.info("stopped")


async def until_told() -> None:
    """Returns on SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


def _try_out(host: str, port: int) -> None:
    """Raises OSError if nothing can listen there: it knows why, and gRPC would write lines of its own to our errors."""
    family, kind, *_, where = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gRPC does: connections that ended do not count
        probe.bind(where)
