"""Phase 3's contenders: bookings that are told of beside phase 2's that are not, the way to Kafka, and the counting."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from booking_outbox.app import MIGRATIONS as BOOKINGS
from chassis.migrations import create_database, migrate
from chassis.settings import ServiceSettings
from messaging.topics import make_topics
from metrics_consumer.app import MIGRATIONS as METRICS
from metrics_consumer.postgres import PostgresCounts

from bench.contender import Calls, Contender
from bench.counting import BareConsumer, Counting, UncheckedCounts, metrics_settings
from bench.figures import Compared
from bench.kafka import bench_settings
from bench.phase2 import MANY
from bench.tables import event_settings, put_events
from bench.telling import BareProducer, Delay, Drain, keep_commit_times
from workbook.postgres import connect
from workbook.stack import LocalStack

RATIOS = (
    Compared("bookings", "phase 2's bookings", aim=0.9),
    Compared("bookings, relay apart", "phase 2's bookings"),
    Compared("drain", "bookings", aim=5),
    Compared("drain", "bare producer"),
    Compared("consumer", "consumer without dedupe", aim=0.8),
    Compared("consumer", "bare consumer"),
)
DELAY = "commit to Kafka"
LIMITS = {DELAY: 0.05}
"""What 99 % of a contender's times should not exceed, in seconds."""


@contextmanager
def open_stack(phase: int, progress: Callable[[str], None]) -> Iterator[LocalStack]:
    with LocalStack(phase, progress=progress) as stack:
        keep_commit_times(stack)
        yield stack


@contextmanager
def contenders(stack: LocalStack) -> Iterator[Sequence[Contender]]:
    _make(bench_settings(stack, "bench-drain"), BOOKINGS)
    _make(metrics_settings(stack, ""), [METRICS])
    make_topics(bench_settings(stack, "bench-drain"))
    with LocalStack(2) as before:
        yield [*_bookings(stack, before), *_messages(stack)]


def _make(settings: ServiceSettings, migrations: Sequence[Path]) -> None:
    """A database that no service of the stack uses."""
    create_database(settings)
    migrate(settings, migrations)


def _bookings(stack: LocalStack, before: LocalStack) -> Iterator[Contender]:
    """Phase 2's, phase 3's, and those of a replica that only writes its messages: the first one's relay sends them."""
    for each in (before, stack):
        with connect(each["postgres"].address, event_settings(each["postgres"].address).db_name) as events:
            put_events(events, MANY)
    apart = stack.replica("booking-service", OUTBOX_RELAY="false")
    yield Calls("phase 2's bookings", "bench.phase2:many", before["booking-service"].address, _parts(before))
    yield Calls("bookings", "bench.phase2:many", stack["booking-service"].address, _parts(stack))
    others = {**_parts(stack), "service": apart.pid, "relay": stack["booking-service"].pid}
    yield Calls("bookings, relay apart", "bench.phase2:many", apart.address, others)


def _parts(stack: LocalStack) -> dict[str, int]:
    """Under names that fit into a table."""
    names = {"booking-service": "service", "event-service": "events", "metrics-consumer": "consumer"}
    shown = ("booking-service", "postgres", "event-service", "kafka", "metrics-consumer")
    return {names.get(name, name): stack[name].pid for name in shown if name in stack.parts}


def _messages(stack: LocalStack) -> Iterator[Contender]:
    postgres = {"postgres": stack["postgres"].pid}
    if stack.kafka != "embedded":  # it does not say when a message came
        yield Delay(DELAY, stack)
    yield Drain("drain", stack, postgres)
    yield BareProducer("bare producer", stack)
    yield Counting("consumer", stack, PostgresCounts, postgres)
    yield Counting("consumer without dedupe", stack, UncheckedCounts, postgres)
    yield BareConsumer("bare consumer", stack)
