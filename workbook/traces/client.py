"""Questions to the receiver, from a notebook or a test."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass

from workbook.traces.span import Span

Edges = set[tuple[str, str]]
"""(parent, child), each as "service: name". The parent of a root is "", of a span whose parent never came "?"."""

_PATIENCE = 10  # seconds


@dataclass(frozen=True, slots=True)
class Traces:
    """The receiver at `address`. Each method raises OSError when it does not answer."""

    address: str

    @property
    def endpoint(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is to be."""
        return f"http://{self.address}"

    def spans(self, **asked: str | int) -> list[Span]:
        """The newest spans that fit `trace_id`, `service` and `attribute` ("booking.id=…"); at most `newest`, 1000."""
        query = urllib.parse.urlencode(asked)
        with urllib.request.urlopen(f"{self.endpoint}/spans?{query}", timeout=_PATIENCE) as answer:  # noqa: S310 - http
            return [Span(**span) for span in json.load(answer)]

    def trace(self, trace_id: str) -> list[Span]:
        """Its spans that have come so far, by their beginnings."""
        return self.spans(trace_id=trace_id, newest=10_000)

    def trace_ids(self, booking_id: str) -> list[str]:
        """The traces that name a booking, oldest first."""
        found = self.spans(attribute=f"booking.id={booking_id}")
        return list(dict.fromkeys(span.trace_id for span in found))


def edges(spans: Iterable[Span]) -> Edges:
    spans = list(spans)
    names = {span.span_id: f"{span.service}: {span.name}" for span in spans}
    return {(names.get(span.parent_id, "?") if span.parent_id else "", names[span.span_id]) for span in spans}
