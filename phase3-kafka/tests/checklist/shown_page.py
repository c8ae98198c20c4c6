"""A page for Prometheus that goes away as a killed process does: with all its connections."""

import contextlib
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from workbook.ports import free_port

Render = Callable[[], str]


def text_of(figures: dict[str, float]) -> str:
    """Figures by name and labels, such as `bookings_total{status="confirmed"}`."""
    return "".join(f"{name} {value:g}\n" for name, value in figures.items())


class ShownPage:
    """Shows what `render` says, at an address that it keeps."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._server: _Server | None = None

    def start(self) -> None:
        self._server = _Server(self._port, self._render)
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def kill(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, render: Render) -> None:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(render().encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the library
                pass

        super().__init__(("127.0.0.1", port), Answer)
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
