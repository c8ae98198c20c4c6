"""A line between a client and a server that a lesson can make slow, and on which an answer can get lost."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

# HTTP/2: nine bytes before each frame, the fourth is its kind; 1 begins a call or an answer.
_FRAME_HEAD, _HEADERS = 9, 1
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # what a client says first; the first call may be in the same piece
_HTTP_1 = (b"GET ", b"POST ", b"PATCH ", b"DELETE ", b"HTTP/1.")  # a request or an answer that begins in this piece


class Line:
    """Listens at `address` and passes everything on to `target`, each piece `delay` seconds late; counts `calls`.

    `lose_next_answer()`: the request arrives, its answer does not, the connection breaks. Nobody at the client's end
    can tell that from a request that never arrived. Threads, no event loop: it also works under a client that blocks.
    """

    def __init__(self, target: str, delay: float = 0, port: int = 0) -> None:
        host, _, target_port = target.rpartition(":")
        self._target = (host, int(target_port))
        self._server = socket.create_server(("127.0.0.1", port))
        self._ends: list[socket.socket] = []
        self._armed = threading.Event()
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.delay = delay
        self.calls = 0

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> Self:
        """Begins to pass on; for a line that more than one cell of a notebook uses."""
        self._thread(self._accept)
        return self

    def close(self) -> None:
        _hang_up(self._server, *self._ends)

    def lose_next_answer(self) -> None:
        self._armed.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: nothing more to accept
            while True:
                client, _ = self._server.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:  # the server is down: the client hears it at once, as without a line between them
                    _hang_up(client)
                    continue
                self._ends += [client, server]
                self._thread(self._pass_on, client, server)
                self._thread(self._answer, server, client)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        self._pass_on(server, client, answers=True)

    def _pass_on(self, source: socket.socket, sink: socket.socket, *, answers: bool = False) -> None:
        with contextlib.suppress(OSError):  # one side has gone
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                heads = _heads(data)
                if answers and heads and self._armed.is_set():
                    self._armed.clear()
                    break
                self.calls += 0 if answers else heads
                sink.sendall(data)
        _hang_up(source, sink)

    def _thread(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        threading.Thread(target=work, args=arguments, daemon=True, name="line").start()


def _heads(data: bytes) -> int:
    """How many calls, or answers, begin in this piece: gRPC sends whole frames, HTTP/1.1 one after the other."""
    if data.startswith(_HTTP_1):
        return 1
    found, at = 0, len(_PREFACE) if data.startswith(_PREFACE) else 0
    while at + _FRAME_HEAD <= len(data):
        found += data[at + 3] == _HEADERS
        at += _FRAME_HEAD + int.from_bytes(data[at : at + 3])
    return found


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):  # close() alone does not wake a thread that waits in accept() or recv()
            end.shutdown(socket.SHUT_RDWR)
        end.close()
