"""Those who call the services: they remember how each call ended, and may begin a trace with it."""

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from checklist.bookings import Bookings
from checklist.client import Answer
from checklist.contract import Contract
from checklist.events import Events
from checklist.reflection import Served

from workbook.checks.system import System

Ended = Counter[tuple[str, str]]
"""How often each method ended with each code, by name."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A trace that begins here: what is told in `traceparent` is that a span of ours has caused the call."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled:02x}"


def new_trace(*, sampled: bool = True) -> Sent:
    return Sent(secrets.token_hex(16), secrets.token_hex(8), sampled)


class _Carrying(grpc.UnaryUnaryClientInterceptor):
    """Puts `trace` into the metadata of each call that begins while there is one."""

    def __init__(self) -> None:
        self.trace: Sent | None = None

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        if self.trace is None:
            return continuation(client_call_details, request)
        metadata = [*(client_call_details.metadata or ()), ("traceparent", self.trace.traceparent)]
        return continuation(client_call_details._replace(metadata=metadata), request)


class Buyers(Bookings):
    """The booking service's callers."""

    def __init__(self, system: System, name: str, contract: Contract, channel: grpc.Channel, served: Served) -> None:
        self._carrying = _Carrying()
        super().__init__(system, name, contract, grpc.intercept_channel(channel, self._carrying), served)
        self.ended: Ended = Counter()

    @contextmanager
    def tracing(self, trace: Sent) -> Iterator[None]:
        """Calls that begin inside the block belong to the trace."""
        self._carrying.trace = trace
        try:
            yield
        finally:
            self._carrying.trace = None

    def begun(self, method: str, patience: float, **request: Any) -> Any:
        """A call under way, for `outcome` or to be cancelled."""
        return self._start(method, request, patience)

    def outcome(self, method: str, call: Any) -> Answer:
        """How it ended; waits for that."""
        return self._answer(method, "", call)

    def _answer(self, method: str, case: str, call: Any) -> Answer:
        answer = super()._answer(method, case, call)
        self.ended[method, answer.code.name] += 1
        return answer


class Sellers(Events):
    """The event service's callers."""

    def __init__(self, system: System, name: str, contract: Contract, channel: grpc.Channel, served: Served) -> None:
        super().__init__(system, name, contract, channel, served)
        self.ended: Ended = Counter()

    def _answer(self, method: str, case: str, call: Any) -> Answer:
        answer = super()._answer(method, case, call)
        self.ended[method, answer.code.name] += 1
        return answer
