"""/v1/bookings/{booking_id}/story: what just happened, from the traces, as far as it can be seen."""

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from opentelemetry import trace
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api_gateway import bookings, story
from api_gateway.answers import Json
from api_gateway.documented import SIGNED_IN, problems
from api_gateway.traces import StoreAway, TraceStore

router = APIRouter(prefix="/v1/bookings", tags=["bookings"])

_REMEMBERED = 10_000  # bookings
_AT_ONCE = 8  # stories that are asked for: a class that watches its bookings must not keep the store from its work
_UNSEEN: dict[str, Any] = {"trace_id": None, "trace_url": None, "steps": None, "spans": None, "message": None}

Missing = Literal["NO_TRACE_STORE", "TRACE_STORE_AWAY", "NO_TRACE"]


class Stories:
    """Where traces are kept, and which of them are those of the newest bookings made here.

    What is remembered spares the store a search through all that it has. `page` is where people look at traces.
    """

    def __init__(self, store: TraceStore | None, patience: float, page: str) -> None:
        self._store = store
        self._patience = patience
        self._page = page.rstrip("/")
        self._traces: OrderedDict[str, str] = OrderedDict()
        self._asking = asyncio.Semaphore(_AT_ONCE)

    def note(self, booking_id: str) -> None:
        """The request being handled has made this booking, or has found it made: the first trace is the one."""
        context = trace.get_current_span().get_span_context()
        if context.trace_flags.sampled:
            self._traces.setdefault(booking_id, f"{context.trace_id:032x}")
            if len(self._traces) > _REMEMBERED:
                self._traces.popitem(last=False)

    async def of(self, booking_id: str, made_at: datetime) -> dict[str, Any]:
        """What is seen of it; `missing` says why parts of that are null."""
        if self._store is None:
            return _unseen("NO_TRACE_STORE")
        try:
            async with asyncio.timeout(self._patience), self._asking:
                return await self._seen(self._store, booking_id, made_at)
        except (StoreAway, TimeoutError):
            return _unseen("TRACE_STORE_AWAY")

    async def _seen(self, store: TraceStore, booking_id: str, made_at: datetime) -> dict[str, Any]:
        trace_id = self._traces.get(booking_id) or await store.trace_of(booking_id, made_at)
        spans = await store.spans(trace_id) if trace_id else []
        if not spans:
            return _unseen("NO_TRACE")
        page = f"{self._page}/trace/{trace_id}" if self._page else None
        return {"trace_id": trace_id, "trace_url": page, **story.told(spans), "missing": None}


def _unseen(why: Missing) -> dict[str, Any]:
    return {**_UNSEEN, "counted": None, "missing": why}


Milliseconds = Annotated[float, Field(description="since the first span began")]


class SpanOfStory(BaseModel):
    service: str
    name: str
    kind: str
    start_ms: Milliseconds
    duration_ms: float
    error: bool
    depth: Annotated[int, Field(description="how many spans stand between this one and the root")]


class Step(BaseModel):
    name: Literal["gateway", "booking", "event", "postgres", "outbox", "kafka", "counted"]
    start_ms: Milliseconds
    end_ms: Milliseconds
    duration_ms: float
    spans: int
    answer: str | None
    error: bool


class Message(BaseModel):
    sent: bool
    partition: int | None
    offset: int | None


class Story(BaseModel):
    """`missing` is null when the trace was seen, else it says why the parts are null: null never means "no"."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"booking": bookings.EXAMPLE, **_unseen("NO_TRACE")}]})
    booking: bookings.Booking
    trace_id: str | None
    trace_url: str | None
    steps: list[Step] | None
    spans: list[SpanOfStory] | None
    message: Message | None
    counted: bool | None
    missing: Missing | None


@router.get("/{booking_id}/story", response_model=Story, responses=problems(401, 403, 404), openapi_extra=SIGNED_IN)
async def get_story(request: Request, booking_id: bookings.BookingId) -> Response:
    """How a booking went through the system, as far as its trace has come: ask again until it is counted."""
    booking = await bookings.booking_of(request, booking_id)
    stories: Stories = request.app.state.stories
    made_at = booking.created_at.ToDatetime(UTC)
    return Json({"booking": bookings.shown(booking), **await stories.of(booking.id, made_at)})
