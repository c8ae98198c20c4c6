"""A relay that stands between a client and a server and keeps what passes: the bytes on the wire, counted and shown."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass
class Wire:
    """What passed so far, in both directions, over all connections."""

    connections: int = 0
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)

    @property
    def size(self) -> int:
        return len(self.sent) + len(self.received)


class Wiretap:
    """Listens at `address`, passes everything on to `target`, and keeps it in `wire`.

    Threads, no event loop: it also works under a client that blocks.
    """

    def __init__(self, target: str) -> None:
        host, port = target.split(":")
        self._target = (host, int(port))
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.wire = Wire()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True, name="wiretap").start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for end in (self._server, *self._ends):
            # close() alone does not wake a thread that waits in accept() or recv()
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: nothing more to accept
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(self._target)
                self._ends += [client, server]
                self.wire.connections += 1
                for source, sink, kept in ((client, server, self.wire.sent), (server, client, self.wire.received)):
                    _thread(source, sink, kept).start()


def _thread(source: socket.socket, sink: socket.socket, kept: bytearray) -> threading.Thread:
    return threading.Thread(target=_pump, args=(source, sink, kept), daemon=True, name="wiretap")


def _pump(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with contextlib.suppress(OSError):  # one side has gone
        while data := source.recv(65536):
            kept.extend(data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
