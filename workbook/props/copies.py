"""Copies of a small service, each at an address of its own and the same port, as pods are; each counts its calls."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue

from workbook.ports import free_port
from workbook.props.name_service import NameService

ASK = "/boxoffice.Office/Ask"
_GRACE, _PATIENCE = 0.2, 5  # seconds
Options = Sequence[tuple[str, Any]]


class Copies:
    """Those of one service, in the kernel's own loop. `names` tells their addresses, as a headless Service's name does.

    `calls` counts by copy, 1 is the first; `connections` are the clients' ends, by copy.
    """

    def __init__(self, names: NameService, options: Options) -> None:
        self.port = free_port()
        self.names = names
        self.calls: Counter[int] = Counter()
        self.connections: dict[int, set[str]] = {}
        self._options = [("grpc.so_reuseport", 0), *options]
        self._servers: list[grpc.aio.Server] = []

    @property
    def target(self) -> str:
        return self.names.target("booking-service", self.port)

    @property
    def addresses(self) -> list[str]:
        return [f"{address}:{self.port}" for address in self.names.addresses]

    async def add(self) -> int:
        """Starts one more copy, and lets its address be known; returns its number."""
        number = len(self._servers) + 1
        address = f"127.0.0.{number}"
        server = grpc.aio.server(options=self._options)
        server.add_generic_rpc_handlers([_Office(self, number)])
        server.add_insecure_port(f"{address}:{self.port}")
        await server.start()
        self._servers.append(server)
        self.names.addresses.append(address)
        return number

    async def stop(self) -> None:
        await asyncio.gather(*(server.stop(_GRACE) for server in self._servers))


class _Office(grpc.GenericRpcHandler):
    """Answers who it is."""

    def __init__(self, copies: Copies, number: int) -> None:
        self._copies = copies
        self._number = number

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        async def answer(_: StringValue, context: Any) -> StringValue:
            self._copies.calls[self._number] += 1
            self._copies.connections.setdefault(self._number, set()).add(context.peer())
            return StringValue(value=str(self._number))

        if handler_call_details.method != ASK:
            return None
        return grpc.unary_unary_rpc_method_handler(answer, StringValue.FromString, StringValue.SerializeToString)


@asynccontextmanager
async def copies(count: int, options: Options = ()) -> AsyncIterator[Copies]:
    """So many copies with these server options, and a name for them, for the length of a block."""
    with NameService() as names:
        made = Copies(names, options)
        try:
            for _ in range(count):
                await made.add()
            yield made
        finally:
            await made.stop()


async def ask(channel: grpc.aio.Channel) -> int:
    """One call; returns the number of the copy that answered."""
    call: Any = channel.unary_unary(ASK, StringValue.SerializeToString, StringValue.FromString)
    answer = await call(StringValue(), timeout=_PATIENCE)
    return int(answer.value)
