"""Where traces are kept, asked for one of them: Jaeger, or the local stack's own receiver."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol

import httpx
from opentelemetry.trace import SpanKind

from api_gateway.config import GatewaySettings

BOOKING_ID = "booking.id"
_SERVICE = "booking-service"  # whose span names the booking
_KINDS = {0: "UNSPECIFIED", **{kind.value + 1: kind.name for kind in SpanKind}}  # as OTLP numbers them
_ERROR = 2
_BEFORE, _AFTER = timedelta(seconds=30), timedelta(minutes=1)  # how far the services' clocks may be apart
_SEARCHED = 100  # traces


class StoreAway(Exception):
    """Nobody knows what the store has: it does not answer, or not in a way that can be read."""


@dataclass(frozen=True, slots=True)
class Span:
    """`start` and `end` are nanoseconds since 1970; `parent_id` is empty at a root; ids are hexadecimal."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    start: int
    end: int
    error: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)


_FIELDS = tuple(each.name for each in fields(Span))


class TraceStore(Protocol):
    """Each method raises StoreAway."""

    async def spans(self, trace_id: str) -> list[Span]:
        """Those of a trace that have come so far; none where it is not known."""

    async def trace_of(self, booking_id: str, made_at: datetime) -> str:
        """The trace in which a booking was made; "" where none is found."""


def store_of(settings: GatewaySettings, client: httpx.AsyncClient) -> TraceStore | None:
    """Jaeger where its address is known, else the receiver where that is, else none."""
    if settings.jaeger_address:
        return Jaeger(client, f"http://{settings.jaeger_address}/api/v3/traces")
    return Receiver(client, f"http://{settings.traces_address}/spans") if settings.traces_address else None


class Receiver:
    """That of the local stack: it answers with a list of spans, oldest first."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def spans(self, trace_id: str) -> list[Span]:
        return await self._found({"trace_id": trace_id})

    async def trace_of(self, booking_id: str, made_at: datetime) -> str:
        del made_at  # it looks through all that it has
        found = await self._found({"attribute": f"{BOOKING_ID}={booking_id}", "service": _SERVICE})
        return found[0].trace_id if found else ""

    async def _found(self, question: Mapping[str, str]) -> list[Span]:
        answer = await _asked(self._client, self._url, question)
        return [Span(**{name: span[name] for name in _FIELDS}) for span in answer or ()]


class Jaeger:
    """Its HTTP API, version 3, whose answers are OTLP's JSON."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def spans(self, trace_id: str) -> list[Span]:
        return sorted(_in_otlp(await _asked(self._client, f"{self._url}/{trace_id}", {})), key=lambda span: span.start)

    async def trace_of(self, booking_id: str, made_at: datetime) -> str:
        """Version 3 finds by service and time, not by attribute: the rest is done here."""
        question = {
            "query.service_name": _SERVICE,
            "query.start_time_min": (made_at - _BEFORE).isoformat(),
            "query.start_time_max": (made_at + _AFTER).isoformat(),
            "query.search_depth": str(_SEARCHED),
        }
        found = _in_otlp(await _asked(self._client, self._url, question))
        named = [span for span in found if span.attributes.get(BOOKING_ID) == booking_id]
        return min(named, key=lambda span: span.start).trace_id if named else ""


async def _asked(client: httpx.AsyncClient, url: str, question: Mapping[str, str]) -> Any:
    """What the store answers, as JSON; None where it has nothing."""
    try:
        answer = await client.get(url, params=dict(question))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        return answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise StoreAway from error


def _in_otlp(answer: Any) -> Iterator[Span]:
    for of_one in (answer or {}).get("result", {}).get("resourceSpans", ()):
        service = _plain(of_one["resource"].get("attributes", ())).get("service.name", "unknown_service")
        for scope in of_one["scopeSpans"]:
            for span in scope["spans"]:
                yield _span(str(service), span)


def _span(service: str, span: Mapping[str, Any]) -> Span:
    return Span(
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        service=service,
        name=span["name"],
        kind=_KINDS.get(span.get("kind", 0), "UNSPECIFIED"),
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        error=span.get("status", {}).get("code", 0) == _ERROR,
        attributes=_plain(span.get("attributes", ())),
    )


def _plain(pairs: Any) -> dict[str, Any]:
    """Attributes by name. OTLP's JSON has whole numbers as text, and so they stay."""
    return {pair["key"]: next(iter(pair["value"].values()), None) for pair in pairs}
