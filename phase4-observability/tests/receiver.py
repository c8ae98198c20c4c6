"""A collector for tests: takes spans over OTLP, keeps them, and draws the edges between them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Edges = set[tuple[str, str]]
"""(parent, child), each as "service: name"; the parent of a root is ""."""


@dataclass
class Receiver:
    endpoint: str = ""
    spans: list[tuple[str, Span]] = field(default_factory=list)
    refuse: bool = False

    def traces(self) -> dict[str, list[tuple[str, Span]]]:
        found: dict[str, list[tuple[str, Span]]] = {}
        for service, span in list(self.spans):
            found.setdefault(span.trace_id.hex(), []).append((service, span))
        return found

    def edges(self, trace_id: str) -> Edges:
        """Those of one trace. A span whose parent never came hangs on "?"."""
        spans = self.traces().get(trace_id, [])
        names = {span.span_id: f"{service}: {span.name}" for service, span in spans}
        return {
            (names.get(span.parent_span_id, "?") if span.parent_span_id else "", names[span.span_id])
            for _, span in spans
        }

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            known = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
            self.spans += [(known["service.name"], span) for scope in resource.scope_spans for span in scope.spans]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not receiver.refuse and self.path == "/v1/traces":
                receiver.take(body)
            self.send_response(503 if receiver.refuse else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
