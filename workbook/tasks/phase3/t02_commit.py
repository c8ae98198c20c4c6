"""Task 3.2: handle, then commit; with a process that dies at every moment."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase3.wrong_commit import WRONG

RECORDS = 5
NO_VALUE = 2  # the record with an empty value
STARTS = 3  # more than one death and one failure need

Consume = Callable[[Any, Callable[[Any], None]], None]


class Died(BaseException):
    """The process is gone. No Exception: no `except` of an answer may bring it back."""


@dataclass(frozen=True)
class Record:
    offset: int

    def __len__(self) -> int:
        """The length of its value, as a confluent_kafka.Message has it."""
        return 0 if self.offset == NO_VALUE else 80


@dataclass
class Partition:
    """A log with what a group has committed, and what was handled. It outlives each process that reads it."""

    committed: int = 0
    handled: Counter[int] = field(default_factory=Counter)


class Process:
    """A process that reads the log. It dies at moment `dies_at`, counted from 1, and cannot handle record `fails`."""

    def __init__(self, partition: Partition, dies_at: int | None = None, fails: int | None = None) -> None:
        self._partition, self._dies_at, self._fails = partition, dies_at, fails
        self._position = partition.committed
        self._moment = 0
        self.did = "began"

    def poll(self) -> Record | None:
        self._passes(f"it asked for record {self._position}")
        if self._position == RECORDS:
            return None
        self._position += 1
        self._passes(f"it got record {self._position - 1}")
        return Record(self._position - 1)

    def commit(self, record: Record) -> None:
        self._passes(f"it wanted to commit record {record.offset}")
        self._partition.committed = record.offset + 1
        self._passes(f"it had committed record {record.offset}")

    def handle(self, record: Record) -> None:
        self._passes(f"it began to handle record {record.offset}")
        if record.offset == self._fails:
            raise OSError("the database is away")
        self._partition.handled[record.offset] += 1
        self._passes(f"it had handled record {record.offset}")

    def _passes(self, did: str) -> None:
        self._moment += 1
        if self._dies_at is not None and self._moment >= self._dies_at:
            self.did = did if self._moment == self._dies_at else self.did
            raise Died


def check(consume: Consume) -> str:
    """Undisturbed; then dead at each moment; then a record that cannot be handled just then. Each time started anew."""
    _undisturbed(consume)
    moments, died = 0, True
    while died:
        partition = Partition()
        process = Process(partition, dies_at=moments + 1)
        died = _dies(consume, process)
        moments += died
        _judged(consume, partition, f"its process died when {process.did}")
    for fails in range(RECORDS):
        partition = Partition()
        _dies(consume, Process(partition, fails=fails))
        _judged(consume, partition, f"record {fails} could not be handled just then")
    return (
        f"dead at each of {moments} moments, failed at each of {RECORDS} records: none lost, at most one handled twice"
    )


def _undisturbed(consume: Consume) -> None:
    partition = Partition()
    _dies(consume, Process(partition))
    if partition.handled.total() < RECORDS and NO_VALUE not in partition.handled:
        raise Wrong(
            f"{partition.handled.total()} of {RECORDS} records were handled: it stopped at record {NO_VALUE}, whose "
            "value is empty. Such a record has length 0 and counts as false; only None is the end"
        )
    if list(partition.handled) != list(range(RECORDS)):
        raise Wrong(f"the log holds records 0 to {RECORDS - 1}, handled were {list(partition.handled)}, in this order")
    if partition.committed != RECORDS:
        raise Wrong(
            f"all {RECORDS} were handled, and a new process would begin at record {partition.committed}: commit "
            "each record once it is handled, the last one too"
        )


def _dies(consume: Consume, process: Process) -> bool:
    try:
        consume(process, process.handle)
    except Died:
        return True
    except OSError:  # of the record that could not be handled
        return False
    return False


def _judged(consume: Consume, partition: Partition, what: str) -> None:
    """Starts new processes until the log is read, and counts."""
    for _ in range(STARTS):
        _dies(consume, Process(partition))
    handled = partition.handled
    if lost := [offset for offset in range(RECORDS) if not handled[offset]]:
        raise Wrong(
            f"{what}, and a new one began at the last commit: record {lost[0]} is lost, nobody ever handles it. What "
            "is committed must have been handled before"
        )
    if (again := handled.total() - RECORDS) > 1:
        raise Wrong(
            f"{what}, and a new one began at the last commit: nothing is lost, but {again} records were handled "
            "twice. At most one need be: commit each record before the next"
        )


TASK = Task(
    id="3.2",
    title="Handle, then commit",
    names=("consume",),
    hints=(
        "What does the next process know? Only the last commit. So what must be true of everything before it?",
        "A loop: poll; at None it is over; handle; commit. An error of handle must not reach the commit.",
        "`while (record := log.poll()) is not None:` then handle(record), then log.commit(record). No try.",
    ),
    check=check,
    wrong=WRONG,
)
