"""The receiver: OTLP over HTTP in, JSON out. `python -m workbook.traces.receiver PORT`, on loopback.

    POST /v1/traces     an ExportTraceServiceRequest as protobuf, plain or gzip
    GET  /spans         ?trace_id= &service= &attribute=booking.id=… &newest=1000, all of them optional

What is too large is not kept, not even for the moment: 413. What is no message of OTLP gets 400.
"""

import asyncio
import json
import sys
import zlib
from dataclasses import asdict
from http import HTTPStatus

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from workbook.traces.store import Question, Store

LARGEST = 4 << 20  # bytes of a request, also unpacked; an exporter's batch of 512 spans has some 300 KB
PROTOBUF = "application/x-protobuf"
_MOST_ANSWERED = 10_000  # spans
_GZIP = 16 + zlib.MAX_WBITS


@stream_request_body
class Taking(RequestHandler):
    def initialize(self, store: Store) -> None:
        self._store = store
        self._body = bytearray()

    def data_received(self, chunk: bytes) -> None:
        if len(self._body) <= LARGEST:  # the rest of what is too large is read, so that the answer is, and let go
            self._body += chunk

    def post(self) -> None:
        if self.request.headers.get("Content-Type", "").partition(";")[0].strip() != PROTOBUF:
            raise HTTPError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            request = ExportTraceServiceRequest.FromString(self._unpacked())
        except (DecodeError, zlib.error) as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST) from error
        answer = ExportTraceServiceResponse()
        if refused := self._store.take(request):
            answer.partial_success.rejected_spans = refused
            answer.partial_success.error_message = "a trace id has 16 bytes, a span id 8"
        self.set_header("Content-Type", PROTOBUF)
        self.finish(answer.SerializeToString())

    def _unpacked(self) -> bytes:
        body = bytes(self._body)
        if self.request.headers.get("Content-Encoding", "identity") == "gzip" and len(body) <= LARGEST:
            body = zlib.decompressobj(_GZIP).decompress(body, LARGEST + 1)
        if len(body) > LARGEST:
            raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return body


class Answering(RequestHandler):
    def initialize(self, store: Store) -> None:
        self._store = store

    def get(self) -> None:
        try:
            found = self._store.find(self._question())
        except ValueError as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST) from error
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps([asdict(span) for span in found]))

    def _question(self) -> Question:
        name, equals, value = self.get_argument("attribute", "").partition("=")
        return Question(
            trace_id=self.get_argument("trace_id", ""),
            service=self.get_argument("service", ""),
            attribute=(name, value) if equals else None,
            newest=min(max(int(self.get_argument("newest", "1000")), 0), _MOST_ANSWERED),
        )


def receiver(store: Store) -> HTTPServer:
    """Not listening yet."""
    routes = [("/v1/traces", Taking, {"store": store}), ("/spans", Answering, {"store": store})]
    return HTTPServer(Application(routes, log_function=lambda _: None))


async def serve(port: int) -> None:
    server = receiver(Store())
    server.listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
