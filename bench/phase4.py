"""Phase 4's contenders: the same bookings with nothing told of them, with metrics and some traces, with every trace.

Each has a stack of its own, with its own database, Kafka, relay and consumer: what one has left to do is not taken for
another's. "Off" is phase 3. A collector that keeps nothing runs beside them.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.contender import Calls, Contender
from bench.figures import Compared
from bench.phase2 import MANY
from bench.tables import event_settings, put_events
from workbook.part import Part, Program
from workbook.ports import free_port, is_free
from workbook.postgres import connect
from workbook.stack import LocalStack

OFF, ON, EVERY = "bookings, off", "bookings, on", "bookings, all traced"
SHARE = "0.1"  # of the traces, where not every one is kept
RATIOS = (
    Compared(ON, OFF, aim=0.95),
    Compared(EVERY, OFF, aim=0.9),
)


@contextmanager
def contenders(stack: LocalStack) -> Iterator[Sequence[Contender]]:
    """`stack` keeps every trace; the others are started beside it."""
    with ExitStack() as beside:
        endpoint = stack.environment_of("booking-service")["OTEL_EXPORTER_OTLP_ENDPOINT"]
        some = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_TRACES_SAMPLER_ARG": SHARE}
        stacks = {
            OFF: beside.enter_context(LocalStack(3)),
            ON: beside.enter_context(LocalStack(4, environment=some)),
            EVERY: stack,
        }
        yield [_bookings(name, one) for name, one in stacks.items()]


@contextmanager
def open_stack(phase: int, progress: Callable[[str], None]) -> Iterator[LocalStack]:
    """The system with every trace kept."""
    with collecting(phase, progress, {}) as stack:
        yield stack


@contextmanager
def collecting(phase: int, progress: Callable[[str], None], environment: Mapping[str, str]) -> Iterator[LocalStack]:
    """The system with this environment; its traces are sent to a collector of the benchmark's own."""
    port = free_port()
    program = Program([sys.executable, "-m", "bench.sink", str(port)], ready=lambda: not is_free(port))
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
    with LocalStack(phase, environment={**environment, **endpoint}, progress=progress) as stack:
        sink = Part("sink", f"127.0.0.1:{port}", program, Path(stack.folder, "sink.log"))
        sink.start()
        try:
            yield stack
        finally:
            sink.stop()


def _bookings(name: str, stack: LocalStack) -> Contender:
    address = stack["postgres"].address
    with connect(address, event_settings(address).db_name) as events:
        put_events(events, MANY)
    parts = {"service": "booking-service", "events": "event-service", "consumer": "metrics-consumer"}
    servers = {part: stack[service].pid for part, service in parts.items()}
    return Calls(
        name, "bench.phase2:many", stack["booking-service"].address, {**servers, "postgres": stack["postgres"].pid}
    )
