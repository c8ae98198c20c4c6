"""The life of the HTTP server: it listens, and it ends in order."""

import asyncio
import logging
import math
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import structlog
import uvicorn
from chassis.server import CannotListen
from starlette.types import ASGIApp

from api_gateway.config import GatewaySettings
from api_gateway.connections import Door, GuardedHttp

if sys.platform == "win32":
    from asyncio import new_event_loop
else:
    from uvloop import new_event_loop  # a tenth to a third less CPU a request, measured

__all__ = ["listening", "new_event_loop"]

_BACKLOG = 2048

log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for whoever runs this server: it has more to end than this."""
        yield


@asynccontextmanager
async def listening(app: ASGIApp, settings: GatewaySettings, door: Door) -> AsyncIterator[int]:
    """Serves inside the block; yields the port. At the end requests under way get `stop_grace` seconds."""
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of each request that cannot be read: anybody's
    with _bound(settings.http_host, settings.http_port) as bound:
        config = uvicorn.Config(
            app,
            http=partial(GuardedHttp, door),  # type: ignore[arg-type]  # it is called as a class would be
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # see addresses.py
            server_header=False,
            timeout_keep_alive=math.ceil(settings.keep_alive),
            timeout_graceful_shutdown=math.ceil(settings.stop_grace),
            backlog=_BACKLOG,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([bound]))
        try:
            await asyncio.wait({serving, up := asyncio.create_task(server.up.wait())}, return_when="FIRST_COMPLETED")
            up.cancel()
            port: int = bound.getsockname()[1]
            log.info("listening", port=port)
            yield port
        finally:
            server.should_exit = True
            await serving
            log.info("stopped")


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.create_server((host.strip("[]"), port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    with bound:
        yield bound
