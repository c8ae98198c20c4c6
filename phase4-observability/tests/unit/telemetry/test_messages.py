"""The spans of messages that are handled: one each, however often they have to wait."""

from collections.abc import Sequence

import pytest
from chassis.errors import Unavailable
from messaging.incoming import Incoming
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode
from telemetry.config import TelemetrySettings
from telemetry.messages import ObservedMessages
from telemetry.tracing import Tracing
from tests.observed import Kept

TRACEPARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MESSAGES = [Incoming("bookings", 0, offset, None, b"{}", [("traceparent", TRACEPARENT)]) for offset in range(3)]


async def spans_of(tries: Sequence[Exception | None]) -> list[ReadableSpan]:
    """What is exported when the same messages are handled again and again, with these ends."""
    kept = Kept()
    async with Tracing(TelemetrySettings(), "consumer", kept) as tracing:
        observed = ObservedMessages(tracing.tracer, "group")
        for problem in tries:
            if problem is None:
                async with observed.around(MESSAGES):
                    pass
                continue
            with pytest.raises(type(problem)):
                async with observed.around(MESSAGES):
                    raise problem
    return kept.spans


async def test_what_waits_is_shown_once_it_is_done_with() -> None:
    spans = await spans_of([Unavailable("away")] * 20 + [None])
    assert [(span.name, span.status.status_code) for span in spans] == [("process bookings", StatusCode.UNSET)] * 3


async def test_what_is_wrong_for_another_reason_is_an_error() -> None:
    spans = await spans_of([ZeroDivisionError("a bug")])
    assert [dict(span.attributes or {})["error.type"] for span in spans] == ["ZeroDivisionError"] * 3
