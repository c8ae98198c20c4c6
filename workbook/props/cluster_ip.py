"""The one address that stands for all pods, as a ClusterIP does: it passes connections on, and never looks inside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count


@asynccontextmanager
async def cluster_ip(pods: Callable[[], Sequence[str]]) -> AsyncIterator[str]:
    """An address; each new connection to it goes to the next of the pods that there are at that moment.

    Kubernetes chooses by chance, this one in turns: what it means for gRPC is the same.
    """
    turn, lines = count(), set[asyncio.Task[None]]()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now = pods()
        host, _, port = now[next(turn) % len(now)].rpartition(":")
        pod_reader, pod_writer = await asyncio.open_connection(host, int(port))
        for source, sink in ((reader, pod_writer), (pod_reader, writer)):
            line = asyncio.create_task(_pass_on(source, sink))
            lines.add(line)
            line.add_done_callback(lines.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for line in [*lines]:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):  # one side has gone
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
    finally:
        sink.close()
