"""The two commands, and which databases they mean."""

from pathlib import Path

import psycopg
from chassis.settings import PostgresSettings, WrongSettings, read_settings
from rich.markup import escape

from workbook.backup.archive import NoBackup, write
from workbook.backup.moment import NoMoment
from workbook.backup.restoring import existing, restore
from workbook.checks.compose import Compose
from workbook.checks.system import CannotRestart
from workbook.phases import newest_phase, services
from workbook.terminal import DONE, console, error, warning

_FAILURES = (NoBackup, NoMoment, WrongSettings, CannotRestart, psycopg.Error)


def back_up(file: Path, target: str) -> int:
    """Writes all databases there are to a new file."""
    try:
        if file.exists():
            raise NoBackup(f"{file} is there already; a backup is never overwritten")
        databases = existing(_databases(target))
        if not databases:
            raise NoBackup("there is no database to back up")
        size = write(file, databases)
    except _FAILURES as problem:
        error(_told(problem))
        return 1
    names = ", ".join(settings.db_name for settings in databases.values())
    console.print(
        f"{DONE} {names} as they were at one moment: {escape(str(file))}, {size / 1e6:.1f} MB", soft_wrap=True
    )
    return 0


def put_back(file: Path, target: str, *, overwrite: bool) -> int:
    """Puts the databases of the file in the places of those there are."""
    try:
        names = restore(file, _databases(target), overwrite=overwrite, warn=warning)
    except _FAILURES as problem:
        error(_told(problem))
        return 1
    console.print(f"{DONE} {', '.join(names)} are as they were when {escape(str(file))} was made", soft_wrap=True)
    return 0


def _databases(target: str) -> dict[str, PostgresSettings]:
    """Where each service keeps its data, by its name: as the environment says, or as the containers do."""
    if target == "compose":
        stack = Compose(newest_phase())
        if problem := stack.problem():
            raise NoBackup(problem)
        return stack.databases()
    kinds = ((service.name, service.settings) for service in services(newest_phase()))
    found: dict[str, PostgresSettings] = {
        name: read_settings(kind) for name, kind in kinds if issubclass(kind, PostgresSettings)
    }
    if len({settings.db_name for settings in found.values()}) < len(found):
        raise NoBackup("DB_NAME gives all services one database, and each has its own: run it without DB_NAME")
    return found


def _told(problem: Exception) -> str:
    where = (
        "\nStart the system (./learn up), or say where it is: --target compose, or DB_HOST, DB_PORT and DB_PASSWORD."
    )
    return f"{problem}{where if isinstance(problem, psycopg.OperationalError) else ''}".strip()
