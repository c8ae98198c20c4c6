"""HTTP as bytes: what no well-behaved client sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

PATIENCE = 20.0


@dataclass
class Line:
    """A connection to a server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))
        await self.writer.drain()

    async def status(self) -> int:
        """The status of the next answer, whose body is read, too; 0 if the server hung up."""
        async with asyncio.timeout(PATIENCE):
            head = await self._head()
            length = next((int(line[15:]) for line in head if line.lower().startswith(b"content-length:")), 0)
            await self.reader.readexactly(length)
        return int(head[0].split()[1]) if head else 0

    async def is_over(self) -> bool:
        """Whether the server closes the connection; anything that still comes is no end."""
        async with asyncio.timeout(PATIENCE):
            try:
                return not await self.reader.read(1)
            except ConnectionError:
                return True

    async def _head(self) -> list[bytes]:
        try:
            return (await self.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return []


@asynccontextmanager
async def connected(client: httpx.AsyncClient) -> AsyncIterator[Line]:
    """A connection of one's own to the server of a client."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def request(method: str, path: str, *headers: str, body: bytes = b"", host: str = "Host: here") -> bytes:
    """A request with exactly these headers."""
    lines = [f"{method} {path} HTTP/1.1", *([host] if host else []), *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
