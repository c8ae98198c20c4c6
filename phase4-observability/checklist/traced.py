"""The traces of what the checks did: spans as their store has them, and the message that goes between two of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from checklist.callers import Sent
from checklist.messages import Log, Message
from checklist.sales import comes_true
from checklist.stores import Store
from checklist.visit import Visit

from workbook.traces.span import Span

OWN = "booking.id"  # an attribute that this workbook adds
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Trace:
    """`sent` is how it began: its first span stands under one of the checks."""

    sent: Sent
    spans: Sequence[Span]

    @property
    def first(self) -> Span | None:
        """The span that continues the caller's."""
        return next((span for span in self.spans if span.parent_id == self.sent.span_id), None)

    @property
    def services(self) -> list[str]:
        return list(dict.fromkeys(span.service for span in self.spans))

    @property
    def lost(self) -> list[Span]:
        """Spans whose cause is not in the trace."""
        known = {span.span_id for span in self.spans} | {self.sent.span_id}
        return [span for span in self.spans if span.parent_id not in known]

    @property
    def consumers(self) -> list[Span]:
        """Those of who read the message: they are neither asked, nor in a service that is."""
        asked = {span.service for span in self.spans if span.kind == "SERVER"}
        others = [span for span in self.spans if asked and span.service not in asked and span.kind != "PRODUCER"]
        return [span for span in self.spans if span.kind == "CONSUMER"] or others


@dataclass(frozen=True, slots=True)
class Traced:
    """By what was done; `message` is what came to Kafka first of the booking whose trace is "sold", None if nothing."""

    traces: dict[str, Trace]
    message: Message | None

    @property
    def sold(self) -> Trace:
        return self.traces["sold"]

    @property
    def carried(self) -> tuple[str, str]:
        """The ids of the trace and the span that the message's header names; empty without one."""
        header = self.message.headers.get("traceparent", "") if self.message else ""
        found = _TRACEPARENT.fullmatch(header)
        return (found[1], found[2]) if found else ("", "")

    @property
    def in_contract(self) -> bool:
        """Whether spans carry what this workbook adds: then they are held to it."""
        return any(OWN in span.attributes for trace in self.traces.values() for span in trace.spans)


def followed(store: Store, visit: Visit, log: Log | None, within: float) -> Traced:
    """Everything, once the traces are whole or the time is over."""
    booking = visit.followed

    def messages() -> list[Message]:
        return log.about(booking.user_id, booking.id) if log else []

    def look() -> Traced:
        traces = {name: Trace(sent, store.trace(sent.trace_id)) for name, sent in visit.traces.items()}
        return Traced(traces, next(iter(messages()), None))

    if log is not None:
        log.until(messages, within)
    comes_true(lambda: _is_whole(look()), within)
    return look()


def _is_whole(traced: Traced) -> bool:
    sampled = [trace for trace in traced.traces.values() if trace.sent.sampled]
    sold = traced.sold
    consumed = bool(sold.consumers) or not traced.carried[0]
    return all(trace.first for trace in sampled) and len(sold.services) > 1 and consumed and not sold.lost
