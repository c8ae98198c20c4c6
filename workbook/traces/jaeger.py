"""Jaeger's HTTP API (v3, whose answers are OTLP as JSON), asked as our own receiver is."""

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbook.traces.span import Span, plain, span_of

_PATIENCE = 10  # seconds
_UNKNOWN = 404  # no span of the trace has come yet
_IDS = ("traceId", "spanId", "parentSpanId")


@dataclass(frozen=True, slots=True)
class Jaeger:
    """The Jaeger whose pages are at `address`. Each method raises OSError when it does not answer."""

    address: str

    def trace(self, trace_id: str) -> list[Span]:
        """Its spans that have come so far, by their beginnings."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/api/v3/traces/{trace_id}", timeout=_PATIENCE) as answer:
                return spans_of(json.load(answer)["result"])
        except urllib.error.HTTPError as refusal:
            if refusal.code == _UNKNOWN:
                return []
            raise


def spans_of(data: dict[str, Any]) -> list[Span]:
    """The spans of OTLP's JSON, by their beginnings."""
    parsed = ParseDict(_with_ids_as_bytes(data), TracesData(), ignore_unknown_fields=True)
    found = [
        span_of(str(plain(of_one.resource.attributes).get("service.name", "unknown_service")), span)
        for of_one in parsed.resource_spans
        for scope in of_one.scope_spans
        for span in scope.spans
    ]
    return sorted(found, key=lambda span: span.start)


def _with_ids_as_bytes(value: Any) -> Any:
    """OTLP writes ids as hexadecimal; what reads JSON for protobuf wants bytes as base64."""
    if isinstance(value, list):
        return [_with_ids_as_bytes(one) for one in value]
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(one)).decode() if key in _IDS else _with_ids_as_bytes(one)
            for key, one in value.items()
        }
    return value
