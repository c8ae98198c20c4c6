"""One moment for several databases: PostgreSQL has snapshots of one database only.

All writers are held up for as long as it takes to begin a snapshot in each database. No transaction spans two of them,
so what is seen there is what a crash at that moment would have left, and from that the services recover by themselves.

Messages that are on Kafka and not counted yet are in no database. So the moment is one at which there are none.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import psycopg
from chassis.settings import PostgresSettings
from psycopg import sql

OURS = "ticket-workbook-backup"  # how PostgreSQL knows these connections from the services'
BOOKINGS, METRICS = "booking-service", "metrics-consumer"
_PATIENCE = 30.0  # seconds until such a moment must have come
_HOLD = 1.0  # seconds that writers are kept waiting for one; they give up after two
_LOCK_TIMEOUT = "500ms"  # less than PostgreSQL's deadlock_timeout: in a deadlock it is we who give in, never a service
_PAUSE = 0.2

_TABLES = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_BOOKED = (
    "SELECT count(*) FILTER (WHERE status = 'CONFIRMED'), count(*) FILTER (WHERE status = 'CANCELLED') FROM bookings"
)
_COUNTED = "SELECT coalesce(sum(confirmed - withdrawn), 0), coalesce(sum(withdrawn + refused), 0) FROM daily_bookings"
_UNTOLD = "SELECT message_id, type, value::jsonb ->> 'previous_status' FROM outbox"
_KNOWN = "SELECT message_id FROM counted WHERE message_id = ANY(%s)"
_OUTBOX = "public.outbox"
_CHANGES = {("BookingCreatedEvent", None): (1, 0), ("BookingCancelledEvent", "CONFIRMED"): (-1, 1)}
_REFUSED = (0, 1)
_NOT_COUNTED = "Kafka holds messages that are not counted yet; is metrics-consumer up?"
_NOT_TOLD = "messages are not sent or not counted yet; are booking-service, Kafka and metrics-consumer up?"


class NoMoment(Exception):
    """The writers could not be held up, or Kafka holds what nobody counts; the text says which."""


@contextmanager
def snapshots(databases: Mapping[str, PostgresSettings]) -> Iterator[dict[str, str]]:
    """A snapshot's id for each database, by service, all of one moment; good inside the block. Raises NoMoment."""
    with ExitStack() as stack:
        readers = {name: stack.enter_context(connected(settings)) for name, settings in databases.items()}
        with held_up(databases):
            for reader in readers.values():
                reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = {name: _exported(reader) for name, reader in readers.items()}
        yield found


@contextmanager
def held_up(databases: Mapping[str, PostgresSettings], *, told: bool = False) -> Iterator[None]:
    """Nobody writes inside the block, and nothing waits on Kafka to be counted. Raises NoMoment.

    A row of the outbox may be on its way to Kafka. Whoever keeps the row need not care; for others, `told` waits until
    the outbox is empty.
    """
    give_up_at, why = time.monotonic() + _PATIENCE, ""
    while time.monotonic() < give_up_at:
        with ExitStack() as stack:
            why = _hold(databases, stack, told=told)
            if not why:
                yield
                return
        time.sleep(_PAUSE)
    raise NoMoment(f"no moment could be found within {_PATIENCE:g} s: {why}")


def nothing_in_flight(bookings: psycopg.Connection, metrics: psycopg.Connection, *, told: bool) -> bool:
    """Whether all that was told of the bookings is counted, but for what the outbox tells again: nothing, if `told`."""
    untold = bookings.execute(_UNTOLD).fetchall()
    if told and untold:
        return False
    known = {row[0] for row in metrics.execute(_KNOWN, [[message_id for message_id, *_ in untold]])}
    waiting = [_CHANGES.get((kind, before), _REFUSED) for message_id, kind, before in untold if message_id not in known]
    expected = [_sums(metrics, _COUNTED), *waiting]
    return _sums(bookings, _BOOKED) == (sum(each[0] for each in expected), sum(each[1] for each in expected))


def connected(settings: PostgresSettings, database: str = "") -> psycopg.Connection:
    """An autocommit connection to the service's database, or to another one of that server."""
    where = {**settings.conninfo(), **({"dbname": database} if database else {}), "application_name": OURS}
    return psycopg.connect(**where, autocommit=True)  # type: ignore[arg-type]


def _hold(databases: Mapping[str, PostgresSettings], stack: ExitStack, *, told: bool) -> str:
    """Holds the writers up until the stack is closed; returns why it could not, else "".

    Bookings first, the metrics after what is under way to them has come. The outbox, if it is to be emptied, stays free
    for the relay: no one else can write there while the bookings are held.
    """
    free = _OUTBOX if told else ""
    try:
        held = {BOOKINGS: _locked(databases[BOOKINGS], stack, free)} if BOOKINGS in databases else {}
        if held and METRICS in databases and not _all_counted(held[BOOKINGS], databases[METRICS], told=told):
            return _NOT_TOLD if told else _NOT_COUNTED
        for name, settings in databases.items():
            if name not in held:
                held[name] = _locked(settings, stack)
    except psycopg.errors.LockNotAvailable:
        return "somebody's transaction goes on and on"
    return ""


def _locked(settings: PostgresSettings, stack: ExitStack, free: str = "") -> psycopg.Connection:
    """Holds up who writes to a table of the database, but for the one that stays free."""
    connection = stack.enter_context(connected(settings))
    connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    tables = [table for (table,) in connection.execute(_TABLES) if table != free]
    connection.execute("BEGIN")
    if tables:
        names = sql.SQL(", ").join(sql.SQL(table) for table in tables)  # as PostgreSQL has quoted them
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(names))
    return connection


def _all_counted(bookings: psycopg.Connection, metrics: PostgresSettings, *, told: bool) -> bool:
    with connected(metrics) as counted:
        deadline = time.monotonic() + _HOLD
        while not nothing_in_flight(bookings, counted, told=told):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    return True


def _exported(reader: psycopg.Connection) -> str:
    (snapshot,) = reader.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
    return str(snapshot)


def _sums(connection: psycopg.Connection, query: str) -> tuple[int, int]:
    confirmed, cancelled = connection.execute(query).fetchone() or (0, 0)
    return int(confirmed), int(cancelled)
