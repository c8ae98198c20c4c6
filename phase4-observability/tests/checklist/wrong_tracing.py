"""What a service can get wrong with its traces."""

import secrets

from tests.checklist.right_tracing import Span, Tracer


class BeginsAnew(Tracer):
    """Each request is a trace of its own: what its caller says is not read."""

    def server(self, name: str, traceparent: str) -> Span:
        return super().server(name, "")


class KeepsIdsAlone(Tracer):
    """In the caller's trace, and under nobody: its trace id was taken, its span id was not."""

    def server(self, name: str, traceparent: str) -> Span:
        span = super().server(name, traceparent)
        span.parent_id = ""
        return span


class GoesAlone(Tracer):
    """Calls carry no context."""

    def goes_along(self, span: Span) -> str:
        return ""


class LosesItsPlace(Tracer):
    """The context that goes along names a span that nobody sends."""

    def goes_along(self, span: Span) -> str:
        return f"00-{span.trace_id}-{secrets.token_hex(8)}-{span.sampled:02x}"


class TellsKafkaNothing(Tracer):
    def message(self, span: Span | None) -> str:
        return ""


class TellsKafkaAnotherTrace(Tracer):
    def message(self, span: Span | None) -> str:
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


class TellsKafkaAnotherSpan(Tracer):
    def message(self, span: Span | None) -> str:
        return f"00-{span.trace_id}-{secrets.token_hex(8)}-{span.sampled:02x}" if span else ""


class ConsumesAnew(Tracer):
    def consumed(self, name: str, traceparent: str) -> None:
        super().consumed(name, f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")


class KeepsTooMuch(Tracer):
    """What the caller does not keep; and a refusal as an error."""

    def keeps(self, flags: str) -> bool:
        return True

    def is_error(self, code: str) -> bool:
        return code != "OK"


class WaitsForItsStore(Tracer):
    """Spans are sent before the request is answered."""

    def send(self, span: Span) -> None:
        self._collected.wait(10)
        super().send(span)


class GivesUp(Tracer):
    """A fault is no error; and once the store has not taken a span, none is sent any more."""

    _given_up = False

    def is_error(self, code: str) -> bool:
        return False

    def send(self, span: Span) -> None:
        self._given_up = self._given_up or not self._collected.is_open
        if not self._given_up:
            super().send(span)
