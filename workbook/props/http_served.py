"""One function as an HTTP server in this process's own event loop: a lesson's gateway, for as long as a block lasts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C and Interrupt belong to the notebook."""
        yield


@asynccontextmanager
async def served(answer: Answer, path: str = "/v1/bookings") -> AsyncIterator[str]:
    """The address where `answer` gets each POST to `path`; nobody listens there after the block.

    What it raises is a 500 to its client, and is raised again at the end of the block: a cell ends with it.
    """
    watched = _Watched(answer)
    app = Starlette(routes=[Route(path, watched.answer, methods=["POST"])])
    with socket.create_server(("127.0.0.1", 0)) as bound:  # from here on connections wait for the server
        settings = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1)
        server = _Server(settings)
        serving = asyncio.create_task(server.serve([bound]))
        try:
            yield f"127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
    if watched.raised:
        raise watched.raised[0]


class _Watched:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.raised: list[Exception] = []

    async def answer(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except Exception as error:  # noqa: BLE001 - raised again where somebody sees it
            self.raised.append(error)
            return Response(status_code=500)
