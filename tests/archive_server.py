"""A web server on loopback that has one file, knows ranges, and breaks off where it is told to."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Shelf:
    """What the server has, how it behaves, and the ranges it was asked for ("" for a request without)."""

    content: bytes
    url: str = ""
    breaks: list[int] = field(default_factory=list)  # of each next answer only so many bytes
    knows_ranges: bool = True
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(content: bytes) -> Iterator[Shelf]:
    shelf = Shelf(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"] or ""
            shelf.asked.append(asked)
            start = int(re.sub(r"\D", "", asked) or 0) if shelf.knows_ranges else 0
            if self.path != "/kafka.tgz":
                self.send_error(404)
            elif asked and shelf.knows_ranges and start >= len(shelf.content):
                self.answer(416, b"", f"bytes */{len(shelf.content)}")
            else:
                end = len(shelf.content)
                self.answer(206 if start else 200, shelf.content[start:], f"bytes {start}-{end - 1}/{end}")

        def answer(self, status: int, body: bytes, content_range: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Range", content_range)
            self.end_headers()
            self.wfile.write(body[: shelf.breaks.pop(0)] if body and shelf.breaks else body)

        def log_message(self, *_: object) -> None:
            """Tests look at `asked`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        shelf.url = f"http://127.0.0.1:{server.server_address[1]}/kafka.tgz"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield shelf
        finally:
            server.shutdown()
            thread.join()
