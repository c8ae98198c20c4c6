"""A server that answers GET over HTTP as it is told, and goes away as a killed process does: with its connections."""

import contextlib
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from workbook.ports import free_port

TEXT, JSON = "text/plain; version=0.0.4", "application/json"

Answer = Callable[[str], tuple[int, str, str]]
"""From a path with its query to a status, a Content-Type and a body."""


class Answering:
    """At an address that it keeps."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._server: _Server | None = None

    def start(self) -> None:
        self._server = _Server(self._port, self._answer)
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def kill(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def page(render: Callable[[], str]) -> Answering:
    """What Prometheus asks for."""
    return Answering(lambda path: (200, TEXT, render()) if path == "/metrics" else (404, TEXT, ""))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, answer: Answer) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = answer(self.path)
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the library
                pass

        super().__init__(("127.0.0.1", port), Handler)
        self._connected: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, client = super().get_request()
        self._connected.append(connection)
        return connection, client

    def server_close(self) -> None:
        super().server_close()
        for connection in self._connected:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
