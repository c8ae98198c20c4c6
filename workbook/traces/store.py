"""The newest spans, in bounded memory."""

import itertools
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from workbook.traces.span import Span, plain, span_of

MOST = 16 << 20  # bytes of spans: some 25,000 of a booking's
_BESIDES = 400  # bytes that a span takes here besides its own
_TRACE_ID, _SPAN_ID = 16, 8  # bytes, as W3C has them


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for; what is empty does not matter. `attribute` is a name and its value as text."""

    trace_id: str = ""
    service: str = ""
    attribute: tuple[str, str] | None = None
    newest: int = 1000


@dataclass(frozen=True, slots=True)
class _Kept:
    service: str
    raw: bytes  # a tenth of what the same span takes as Python objects, and of a known size

    @property
    def size(self) -> int:
        return len(self.raw) + len(self.service) + _BESIDES


class Store:
    """Forgets the oldest spans when those it has take more than `most` bytes."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[tuple[bytes, bytes], _Kept] = OrderedDict()

    def take(self, request: ExportTraceServiceRequest) -> int:
        """Keeps the spans, each once; returns how many were left out, having no valid ids."""
        refused = 0
        for resource in request.resource_spans:
            service = str(plain(resource.resource.attributes).get("service.name", "unknown_service"))
            for span in itertools.chain.from_iterable(scope.spans for scope in resource.scope_spans):
                valid = len(span.trace_id) == _TRACE_ID and len(span.span_id) == _SPAN_ID
                refused += not valid
                if valid:
                    self._keep(service, span)
        return refused

    def find(self, question: Question) -> list[Span]:
        """The newest that fit, in the order of their beginnings."""
        found = list(itertools.islice(self._fitting(question), question.newest))
        return sorted(found, key=lambda span: span.start)

    def _keep(self, service: str, span: pb.Span) -> None:
        span.DiscardUnknownFields()
        key, new = (span.trace_id, span.span_id), _Kept(service, span.SerializeToString())
        old = self._kept.pop(key, None)
        self._kept[key] = new
        self._size += new.size - (old.size if old else 0)
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= oldest.size

    def _fitting(self, question: Question) -> Iterator[Span]:
        trace_id = bytes.fromhex(question.trace_id)
        for (trace, _), kept in reversed(self._kept.items()):
            if trace_id not in {b"", trace} or question.service not in {"", kept.service}:
                continue
            span = span_of(kept.service, pb.Span.FromString(kept.raw))
            if question.attribute is None or _has(span, *question.attribute):
                yield span


def _has(span: Span, name: str, value: str) -> bool:
    return name in span.attributes and str(span.attributes[name]) == value
