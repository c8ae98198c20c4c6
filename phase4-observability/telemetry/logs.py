"""The ids of the trace in each line of the log that is written for a request: from a line to its trace, and back."""

from collections.abc import MutableMapping
from typing import Any

from opentelemetry import trace


def with_trace_ids(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for structlog. Outside a request it adds nothing."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = f"{context.trace_id:032x}"
        line["span_id"] = f"{context.span_id:016x}"
    return line
