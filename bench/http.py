"""A client that costs next to nothing: HTTP/1.1 over connections that stay open, one a call that is under way."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

from bench.contender import ContenderFailed

_LENGTH = b"content-length: "


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, address: str) -> Self:
        host, port = address.split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        at = head.index(_LENGTH) + len(_LENGTH)
        length = int(head[at : head.index(b"\r\n", at)])
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


class Connections:
    """As many as are needed at once."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: list[Connection] = []

    async def ask(self, request: bytes, wanted: int) -> bytes:
        """The body of the answer; raises ContenderFailed if its status is not the wanted one."""
        connection = self._idle.pop() if self._idle else await Connection.to(self._address)
        status, body = await connection.ask(request)
        self._idle.append(connection)
        if status != wanted:
            raise ContenderFailed(f"answered with {status}: {body.decode(errors='replace')}")
        return body

    def close(self) -> None:
        for connection in self._idle:
            connection.close()


@asynccontextmanager
async def connections(address: str) -> AsyncIterator[Connections]:
    opened = Connections(address)
    try:
        yield opened
    finally:
        opened.close()


def post(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of a request."""
    lines = [f"POST {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, "Content-Type: application/json", f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body
