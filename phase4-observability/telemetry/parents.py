"""To whose traces work belongs that is done for several callers at once: to the trace of each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from chassis import grouping
from opentelemetry import trace

_sharing: ContextVar[Sequence[trace.Span]] = ContextVar("sharing", default=())


def parents() -> list[trace.Span]:
    """The recorded spans that the work being done now is for; none where nobody records one."""
    sharing = _sharing.get()
    if not sharing:
        callers = grouping.callers()
        sharing = [context.run(trace.get_current_span) for _, context in callers] or [trace.get_current_span()]
    return [span for span in sharing if span.is_recording()]


def comes_again() -> bool:
    """Whether the work is for messages: those come again when the database is away, till it is there."""
    return bool(_sharing.get())


def span_for(item: Any) -> trace.Span:
    """The span of the call that brought this item into the write under way, or the current one."""
    for brought, context in grouping.callers():
        if brought == item:
            return context.run(trace.get_current_span)
    return trace.get_current_span()


@contextmanager
def sharing(spans: Sequence[trace.Span]) -> Iterator[None]:
    """What is done in the block is done for all of these."""
    token = _sharing.set(spans)
    try:
        yield
    finally:
        _sharing.reset(token)
