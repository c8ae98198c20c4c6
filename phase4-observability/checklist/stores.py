"""Where traces are kept and asked for: a Jaeger, or the workbook's receiver."""

from dataclasses import dataclass
from typing import Protocol

from workbook.checks.system import System
from workbook.checks.verdict import Wrong, not_run
from workbook.traces.client import Traces
from workbook.traces.jaeger import Jaeger
from workbook.traces.span import Span

KINDS = ("jaeger", "traces")


class _Asked(Protocol):
    def trace(self, trace_id: str) -> list[Span]: ...


@dataclass(frozen=True, slots=True)
class Store:
    """`name` is what the target calls it."""

    name: str
    address: str
    asked: _Asked

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of a trace that have come so far; Wrong if it does not answer."""
        try:
            return self.asked.trace(trace_id)
        except (OSError, ValueError, KeyError) as error:
            said = f"{self.name} at {self.address} did not answer a question for a trace ({error!r})"
            raise Wrong(said, "give the address of Jaeger's query service, usually port 16686") from error


def store_of(system: System) -> Store:
    """The one that the target names; no verdict where it names none."""
    name = next((kind for kind in KINDS if kind in system.addresses), "")
    if not name:
        not_run("needs the address of jaeger: --target jaeger=HOST:PORT,…")
    address = system.addresses[name]
    return Store(name, address, Jaeger(address) if name == "jaeger" else Traces(address))
