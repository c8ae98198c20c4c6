"""Faults that a lesson puts into a running system without saying which. Each is real, and over when its block ends."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from enum import StrEnum
from typing import LiteralString

from confluent_kafka import Producer

from workbook.postgres import connect
from workbook.props.for_a_while import hung
from workbook.stack import LocalStack


class Cause(StrEnum):
    """What may be wrong, in the words of the report that somebody writes afterwards."""

    EVENT_SERVICE_HANGS = "event-service hangs again and again"
    ROW_LOCKED = "somebody locks the row of one event"
    BOOKINGS_LOCKED = "somebody locks the table of bookings"
    KAFKA_FROZEN = "Kafka is frozen"
    NOBODY_RELAYS = "no relay takes messages out of the outbox"
    CONSUMER_HANGS = "metrics-consumer hangs"
    COUNTS_LOCKED = "somebody locks the table of counted messages"
    UNREADABLE = "somebody sends messages that nobody can read"


Inject = Callable[[LocalStack, str], AbstractContextManager[object]]
"""Takes the stack, and the id of the event that everybody books."""

_TAKE_THE_LEAD = "SELECT pg_advisory_lock(hashtext('booking outbox'))"
_END_ITS_HOLDER = """
SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE datname = current_database() AND locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
"""
_HUNG, _AWAKE = 1.0, 0.5  # seconds; awake it has time to answer, or its own figures would tell of the hanging
_LOCKED, _FREE = 0.6, 0.05
_EVERY = 0.2
_LONG = 3600


@contextmanager
def _meanwhile(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Runs `work` beside the block; the event tells it that the block has ended."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=[over], daemon=True, name="fault")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _hangs_again_and_again(stack: LocalStack, _: str) -> AbstractContextManager[object]:
    def work(over: threading.Event) -> None:
        while not over.wait(_AWAKE):
            with hung(stack["event-service"]):
                over.wait(_HUNG)

    return _meanwhile(work)


def _locked(
    stack: LocalStack, service: str, statement: LiteralString, *values: str, locked: float = _LOCKED
) -> AbstractContextManager[object]:
    """A session takes a lock, sits on it, lets go, and takes it again."""

    def work(over: threading.Event) -> None:
        with closing(connect(stack["postgres"].address, stack.settings_of(service).db_name)) as session:
            while not over.wait(_FREE):
                with session.transaction():
                    session.execute(statement, values)
                    over.wait(locked)

    return _meanwhile(work)


def _row_locked(stack: LocalStack, event_id: str) -> AbstractContextManager[object]:
    return _locked(stack, "event-service", "SELECT FROM events WHERE id = %s FOR UPDATE", event_id)


def _bookings_locked(stack: LocalStack, _: str) -> AbstractContextManager[object]:
    return _locked(stack, "booking-service", "LOCK TABLE bookings IN EXCLUSIVE MODE")  # who only reads may go on


def _counts_locked(stack: LocalStack, _: str) -> AbstractContextManager[object]:
    return _locked(stack, "metrics-consumer", "LOCK TABLE counted IN EXCLUSIVE MODE", locked=_LONG)


def _frozen(stack: LocalStack, _: str) -> AbstractContextManager[object]:
    return hung(stack["kafka"])


def _consumer_hangs(stack: LocalStack, _: str) -> AbstractContextManager[object]:
    return hung(stack["metrics-consumer"])


def _nobody_relays(stack: LocalStack, _: str) -> AbstractContextManager[object]:
    """Somebody else holds the lock by which the relays find their leader, and relays nothing."""

    def work(over: threading.Event) -> None:
        address, database = stack["postgres"].address, stack.settings_of("booking-service").db_name
        with closing(connect(address, database)) as session, closing(connect(address, database)) as other:
            taking = threading.Thread(target=session.execute, args=[_TAKE_THE_LEAD], daemon=True)
            taking.start()
            while taking.is_alive():  # it stands in the queue before the relay, which only tries now and then
                other.execute(_END_ITS_HOLDER)
                taking.join(0.1)
            over.wait()

    return _meanwhile(work)


def _unreadable(stack: LocalStack, _: str) -> AbstractContextManager[object]:
    def work(over: threading.Event) -> None:
        sender = Producer({"bootstrap.servers": stack["kafka"].address, "log_level": 0})
        while not over.wait(_EVERY):
            sender.produce("bookings", b"booked: 2 tickets, row 7")
            sender.poll(0)
        sender.flush(5)

    return _meanwhile(work)


FAULTS: Mapping[Cause, Inject] = {
    Cause.EVENT_SERVICE_HANGS: _hangs_again_and_again,
    Cause.ROW_LOCKED: _row_locked,
    Cause.BOOKINGS_LOCKED: _bookings_locked,
    Cause.KAFKA_FROZEN: _frozen,
    Cause.NOBODY_RELAYS: _nobody_relays,
    Cause.CONSUMER_HANGS: _consumer_hangs,
    Cause.COUNTS_LOCKED: _counts_locked,
    Cause.UNREADABLE: _unreadable,
}
