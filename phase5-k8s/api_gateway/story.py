"""What a trace tells of a booking: its steps through the system, and every span as a row of a waterfall."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from api_gateway.traces import Span

_MOST = 200  # rows
_ANSWERS = ("http.response.status_code", "rpc.response.status_code")
_MESSAGE_OFFSET = "messaging.kafka.offset"
_MESSAGE_PARTITION = "messaging.destination.partition.id"


def told(spans: Sequence[Span]) -> dict[str, Any]:
    """`steps`, `spans`, `message` and `counted` of a story; times are milliseconds since the first span began.

    A message counts as sent when its sender was told that it is there, and a booking as counted when whoever processed
    its message has committed: both spans end then, and without an error.
    """
    zero = min((span.start for span in spans), default=0)
    processed = [span for span in spans if span.kind == "CONSUMER" and not span.error]
    sent = bool(processed) or any(span.kind == "PRODUCER" and not span.error for span in spans)
    at = processed[0].attributes if processed else {}
    return {
        "steps": [*_steps(spans, zero)],
        "spans": [_row(span, depth, zero) for span, depth in [*in_order(spans)][:_MOST]],
        "message": {
            "sent": sent,
            "partition": _number(at.get(_MESSAGE_PARTITION)),
            "offset": _number(at.get(_MESSAGE_OFFSET)),
        },
        "counted": bool(processed),
    }


def in_order(spans: Sequence[Span]) -> Iterator[tuple[Span, int]]:
    """Each span once, with its depth: causes before what they caused, siblings by their beginnings."""
    known = {span.span_id for span in spans}
    below: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.start, reverse=True):
        below.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    waiting = [(span, 0) for span in below.get("", [])]
    while waiting:
        span, depth = waiting.pop()
        yield span, depth
        waiting += [(child, depth + 1) for child in below.get(span.span_id, [])]


def _steps(spans: Sequence[Span], zero: int) -> Iterator[dict[str, Any]]:
    """Those that have been seen, in the order in which they happen."""
    for name, belongs in _STEPS.items():
        found = [span for span in spans if belongs(span)]
        if found:
            start, end = min(span.start for span in found), max(span.end for span in found)
            busy = sum(span.end - span.start for span in found) if name == "postgres" else end - start
            yield {
                "name": name,
                "start_ms": _milliseconds(start - zero),
                "end_ms": _milliseconds(end - zero),
                "duration_ms": _milliseconds(busy),
                "spans": len(found),
                "answer": _answer(found[0]) if name in _ANSWERING else None,
                "error": any(span.error for span in found),
            }


def _serves(service: str) -> Callable[[Span], bool]:
    return lambda span: span.service == service and span.kind == "SERVER"


def _in_booking_or_event_db(span: Span) -> bool:
    in_a_database = span.attributes.get("db.system.name") == "postgresql"
    return in_a_database and span.service in {"booking-service", "event-service"}


_STEPS: dict[str, Callable[[Span], bool]] = {
    "gateway": _serves("api-gateway"),
    "booking": _serves("booking-service"),
    "event": _serves("event-service"),
    "postgres": _in_booking_or_event_db,
    "outbox": lambda span: span.attributes.get("db.query.summary") == "INSERT outbox",
    "kafka": lambda span: span.kind == "PRODUCER",
    "counted": lambda span: span.kind == "CONSUMER",
}


_ANSWERING = frozenset({"gateway", "booking", "event"})


def _answer(span: Span) -> str | None:
    """What it answered, as its protocol says it: 201, OK, FAILED_PRECONDITION."""
    found = [str(span.attributes[name]) for name in _ANSWERS if name in span.attributes]
    return found[0] if found else None


def _row(span: Span, depth: int, zero: int) -> dict[str, Any]:
    return {
        "service": span.service,
        "name": span.name,
        "kind": span.kind,
        "start_ms": _milliseconds(span.start - zero),
        "duration_ms": _milliseconds(span.end - span.start),
        "error": span.error,
        "depth": depth,
    }


def _milliseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)


def _number(written: object) -> int | None:
    """Jaeger has whole numbers as text."""
    return int(written) if isinstance(written, int) or (isinstance(written, str) and written.isdecimal()) else None
