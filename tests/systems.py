"""A running system as the signal matrix sees it, wherever it runs: whom to call, what it shows, logs and traces."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from tests.containers import token_of
from workbook.admin import token_for
from workbook.bearer import with_token
from workbook.compose import ComposeStack
from workbook.stack import LocalStack
from workbook.traces.client import Traces
from workbook.traces.jaeger import Jaeger
from workbook.traces.span import Span


class Watched(Protocol):
    def channel(self, service: str) -> grpc.Channel:
        """To the service, as an admin where one is asked who is calling."""

    def metrics_address(self, service: str) -> str: ...

    def lines(self, service: str) -> list[dict[str, Any]]:
        """What it has logged."""

    def trace(self, trace_id: str) -> list[Span]:
        """The spans that have come so far."""

    def kill(self, service: str) -> None: ...

    def start(self, service: str) -> None: ...


@dataclass(frozen=True)
class OnThisMachine:
    """The local stack, whose traces our own receiver takes."""

    stack: LocalStack

    def channel(self, service: str) -> grpc.Channel:
        return with_token(grpc.insecure_channel(self.stack[service].address), token_for(self.stack))

    def metrics_address(self, service: str) -> str:
        return self.stack.metrics_address(service)

    def lines(self, service: str) -> list[dict[str, Any]]:
        return _read(self.stack[service].log.read_text().splitlines())

    def trace(self, trace_id: str) -> list[Span]:
        return Traces(self.stack["traces"].address).trace(trace_id)

    def kill(self, service: str) -> None:
        self.stack[service].kill()

    def start(self, service: str) -> None:
        self.stack[service].start()


@dataclass(frozen=True)
class InContainers:
    """The compose stack, whose traces Jaeger takes."""

    stack: ComposeStack

    def channel(self, service: str) -> grpc.Channel:
        return with_token(grpc.insecure_channel(self.stack.address(service)), token_of(self.stack))

    def metrics_address(self, service: str) -> str:
        return self.stack.metrics_address(service)

    def lines(self, service: str) -> list[dict[str, Any]]:
        return _read(self.stack.compose("logs", "--no-color", "--no-log-prefix", service).splitlines())

    def trace(self, trace_id: str) -> list[Span]:
        return Jaeger(self.stack.address("jaeger")).trace(trace_id)

    def kill(self, service: str) -> None:
        self.stack.kill(service)

    def start(self, service: str) -> None:
        self.stack.start(service)


def _read(lines: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines if line.startswith("{")]
