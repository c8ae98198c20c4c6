"""A server over HTTP for gateways of the proofs: it reads requests whole, and writes whatever a gateway answers."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

JSON, PROBLEM, STREAM = "application/json", "application/problem+json", "text/event-stream"


@dataclass(frozen=True, slots=True)
class Request:
    """`read` gives the body when it is asked for."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    size: int
    read: Any
    address: str


@dataclass(slots=True)
class Reply:
    """`pieces` are what a stream tells; else `content` is JSON, or a text."""

    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = JSON
    pieces: Iterator[str] | None = None

    def raw(self) -> bytes:
        text = self.content if isinstance(self.content, str) else json.dumps(self.content)
        return b"" if self.content is None else text.encode()


class Answers(Protocol):
    def answer(self, request: Request) -> Reply: ...


class Door(ThreadingHTTPServer):
    """Open at `address` inside its block."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, gateway: Answers) -> None:
        super().__init__(("127.0.0.1", 0), _handler(gateway))
        self.address = f"127.0.0.1:{self.server_address[1]}"

    def open(self) -> None:
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


def _handler(gateway: Answers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            request = self._request()
            reply = gateway.answer(request)
            with suppress(OSError):  # the client may have left
                self._write(reply)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 - the library's names

        def _request(self) -> Request:
            where, size = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._left = size
            return Request(
                self.command,
                where.path,
                dict(parse_qsl(where.query)),
                headers,
                size,
                self._body,
                self.client_address[0],
            )

        def _body(self) -> bytes:
            left, self._left = self._left, 0
            return self.rfile.read(left)

        def _write(self, reply: Reply) -> None:
            raw = reply.raw()
            self.close_connection = bool(self._left or reply.pieces)
            self.send_response_only(reply.status)
            own = {} if reply.pieces else {"Content-Length": str(len(raw))}
            ends = {"Connection": "close"} if self.close_connection else {}
            for name, value in {"Content-Type": reply.kind, **own, **ends, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)
            for piece in reply.pieces or ():
                self.wfile.write(piece.encode())
                self.wfile.flush()

    return Handler
