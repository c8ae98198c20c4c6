"""A line to PostgreSQL that is cut at the worst moment: the server has committed, and its client never hears of it."""

import asyncio
import contextlib
from random import Random

from tests.between import Between

SYNC = b"S\x00\x00\x00\x04"  # psycopg ends each statement with it: in autocommit this is where PostgreSQL commits


class CuttingLine(Between):
    """Passes bytes on. While `rate` is above 0 it cuts that share of statements: half before they arrive."""

    def __init__(self, server: int) -> None:
        super().__init__(server)
        self._chance = Random(11)  # noqa: S311 - no secret
        self.rate = 0.0
        self.cut_before, self.cut_after = 0, 0

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server)
        lost = asyncio.Event()
        ways = [
            asyncio.create_task(self._to_server(reader, to_server, lost)),
            asyncio.create_task(self._to_client(from_server, writer, lost)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (to_server, writer):
                end.close()
            await asyncio.gather(*ways, to_server.wait_closed(), writer.wait_closed(), return_exceptions=True)

    async def _to_server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if data.endswith(SYNC) and self._chance.random() < self.rate:
                    if self._chance.random() < 0.5:
                        self.cut_before += 1
                        return
                    lost.set()
                writer.write(data)
                await writer.drain()

    async def _to_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if lost.is_set():  # the answer proves that the server is done with it
                    self.cut_after += 1
                    return
                writer.write(data)
                await writer.drain()
