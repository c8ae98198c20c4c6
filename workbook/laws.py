"""`./learn check laws`: does the running system keep its promise? Reads both databases, names what breaks which law."""

import psycopg
from booking_saga.config import SagaSettings
from chassis.settings import WrongSettings, read_settings
from event_service.config import EventSettings
from invariants import LAWS, broken_laws
from rich.markup import escape

from workbook.terminal import DONE, WRONG, console, error

_SHOWN = 10


def main() -> int:
    """Prints a line for each law; returns 0 when all hold, 1 when one is broken, 2 when the databases cannot be read.

    Where they are is read from the environment as the services read it: `DB_HOST`, `DB_PORT`, …
    """
    try:
        bookings, events = read_settings(SagaSettings), read_settings(EventSettings)
        broken = broken_laws(bookings, events, pending_limit=2 * bookings.pending_limit)
    except WrongSettings as problem:
        error(str(problem))
        return 2
    except psycopg.Error as problem:
        error(
            f"the databases cannot be read: {str(problem).strip()}\n"
            "Start the system (./learn up --phase 2), or say where they are with DB_HOST, DB_PORT and DB_PASSWORD."
        )
        return 2
    for law, text in LAWS.items():
        found = [each.what for each in broken if each.law == law]
        console.print(f"{WRONG if found else DONE} [bold]{law}[/] {escape(text)}")
        for what in found[:_SHOWN]:
            console.print(f"    {escape(what)}")
        if len(found) > _SHOWN:
            console.print(f"    and {len(found) - _SHOWN} more")
    return 1 if broken else 0
