"""Traces across Kafka: the trace goes along in the message's traceparent, from the outbox row to whoever counts it."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from chassis.errors import Unavailable
from messaging.config import KafkaSettings
from messaging.contract import Headers
from messaging.incoming import Incoming
from messaging.publisher import Outgoing, Publisher
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from telemetry.parents import sharing, span_for
from telemetry.propagation import carried, carrier_of, traceparent_of

_TRACEPARENT = "traceparent"


def traceparent_of_booking(booking_id: uuid.UUID) -> str:
    """The trace of the call that changes this booking, for its row in the outbox; its span tells the booking's id."""
    span = span_for(booking_id)
    span.set_attribute("booking.id", str(booking_id))
    return traceparent_of(span)


class ObservedPublisher(Publisher):
    """Shows each message that belongs to a trace on its way to Kafka, and hands the trace on to whoever reads it."""

    def __init__(self, settings: KafkaSettings, name: str, tracer: Tracer) -> None:
        super().__init__(settings, name)
        self._tracer = tracer

    async def deliver(self, messages: Sequence[Outgoing]) -> list[bool]:
        sending = [self._sending(message) for message in messages]
        delivered = [False] * len(messages)
        try:
            with_traces = [
                _carrying(message, span) if span.is_recording() else message
                for message, span in zip(messages, sending, strict=True)
            ]
            delivered = await super().deliver(with_traces)
        finally:
            for span, there in zip(sending, delivered, strict=True):
                _end(span, "" if there else "not delivered")
        return delivered

    def _sending(self, message: Outgoing) -> Span:
        attributes = {
            "messaging.system": "kafka",
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": message.topic,
            "messaging.kafka.message.key": (message.key or b"").decode(errors="replace"),
        }
        return _continued(self._tracer, message.headers, f"send {message.topic}", SpanKind.PRODUCER, attributes)


class ObservedMessages:
    """Shows what is done with the messages that were taken together: a span each, in the trace that each belongs to."""

    def __init__(self, tracer: Tracer, group: str) -> None:
        self._tracer = tracer
        self._group = group

    @asynccontextmanager
    async def around(self, messages: Sequence[Incoming]) -> AsyncIterator[None]:
        """What to plug in around their handling."""
        spans = [span for message in messages if (span := self._processing(message)).is_recording()]
        error = "abandoned"
        try:
            with sharing(spans):
                yield
            error = ""
        except Unavailable:
            spans = []  # they come again, who knows how often: a span that does not end is not shown, the last one is
            raise
        except Exception as problem:
            error = type(problem).__name__
            raise
        finally:
            for span in spans:
                _end(span, error)

    def _processing(self, message: Incoming) -> Span:
        attributes: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": message.topic,
            "messaging.destination.partition.id": str(message.partition),
            "messaging.kafka.offset": message.offset,
            "messaging.kafka.message.key": (message.key or b"").decode(errors="replace"),
            "messaging.consumer.group.name": self._group,
        }
        return _continued(self._tracer, message.headers, f"process {message.topic}", SpanKind.CONSUMER, attributes)


def _continued(
    tracer: Tracer, headers: Headers, name: str, kind: SpanKind, attributes: Mapping[str, str | int]
) -> Span:
    """A span in the trace that a message carries; none that records where it carries none that is kept."""
    came_with = carried((key, value.decode(errors="replace")) for key, value in headers if value)
    if not trace.get_current_span(came_with).get_span_context().trace_flags.sampled:
        return trace.INVALID_SPAN
    return tracer.start_span(name, came_with, kind, attributes)


def _carrying(message: Outgoing, span: Span) -> Outgoing:
    others = [(key, value) for key, value in message.headers if key != _TRACEPARENT]
    return replace(message, headers=[*others, *((key, value.encode()) for key, value in carrier_of(span).items())])


def _end(span: Span, error: str) -> None:
    if error:
        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR)
    span.end()
