"""`./learn check laws`: does the running system keep its promise? Reads its databases, names what breaks which law."""

import psycopg
from booking_saga.config import SagaSettings
from chassis.settings import PostgresSettings, WrongSettings, read_settings
from counting_laws import LAWS, miscounted
from event_service.config import EventSettings
from invariants import broken_laws
from metrics_consumer.config import MetricsSettings
from rich.markup import escape

from workbook.terminal import DONE, NOT_RUN, WRONG, console, error

_SHOWN = 10
_COUNTING = "I4"


def main() -> int:
    """Prints a line for each law; returns 0 when all hold, 1 when one is broken, 2 when the databases cannot be read.

    Where they are is read from the environment as the services read it: `DB_HOST`, `DB_PORT`, …
    """
    try:
        bookings, events = read_settings(SagaSettings), read_settings(EventSettings)
        metrics = read_settings(MetricsSettings)
        counting = _is_there(metrics)
        broken = broken_laws(bookings, events, pending_limit=2 * bookings.pending_limit)
        broken += miscounted(bookings, metrics) if counting else []
    except WrongSettings as problem:
        error(str(problem))
        return 2
    except psycopg.Error as problem:
        error(
            f"the databases cannot be read: {str(problem).strip()}\n"
            "Start the system (./learn up), or say where they are with DB_HOST, DB_PORT and DB_PASSWORD."
        )
        return 2
    for law in LAWS:
        if law == _COUNTING and not counting:
            console.print(f"{NOT_RUN} [bold]{law}[/] not run (needs the system of phase 3: nobody counts before)")
        else:
            _show(law, [each.what for each in broken if each.law == law])
    return 1 if broken else 0


def _show(law: str, found: list[str]) -> None:
    console.print(f"{WRONG if found else DONE} [bold]{law}[/] {escape(LAWS[law])}")
    for what in found[:_SHOWN]:
        console.print(f"    {escape(what)}")
    if len(found) > _SHOWN:
        console.print(f"    and {len(found) - _SHOWN} more")


def _is_there(database: PostgresSettings) -> bool:
    """Whether this database exists: before phase 3 nobody counts."""
    with psycopg.connect(**{**database.conninfo(), "dbname": "postgres"}) as connection:  # type: ignore[arg-type]
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", [database.db_name]).rowcount == 1
