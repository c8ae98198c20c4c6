"""A backup put back: read into new databases first, which then take the places of those that are there."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import psycopg
from chassis.settings import PostgresSettings
from psycopg import sql

from workbook.backup.archive import NoBackup, opened, run
from workbook.backup.moment import OURS, NoMoment, connected, held_up

_SERVER = "postgres"  # the database that is always there
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name <> %s"
_STALE = (
    "What Kafka still holds of the bookings that were there will be counted as of the restored ones. If ./learn check"
    " laws finds I4 broken once all services are up: restore it again."
)
_NEW, _ROOM = "_restored", 63  # PostgreSQL cuts longer names


def restore(
    file: Path,
    databases: Mapping[str, PostgresSettings],
    *,
    overwrite: bool,
    warn: Callable[[str], object] = lambda _: None,
) -> list[str]:
    """Puts back every database of the file, `databases` says where, by service; returns their names.

    What fails before all of them could be read changes nothing. Raises NoBackup, also for databases that are there
    unless `overwrite`. `warn` is called with what may be wrong with the counts afterwards.
    """
    with opened(file) as dumps:
        unknown = dumps.keys() - databases.keys()
        if unknown:
            raise NoBackup(f"nobody here knows the databases of {', '.join(sorted(unknown))}")
        wanted = {name: databases[name] for name in dumps}
        there = existing(wanted)
        if there and not overwrite:
            names = ", ".join(settings.db_name for settings in there.values())
            raise NoBackup(f"{names} would be overwritten; nothing is changed. If that is meant: --yes")
        for name, settings in wanted.items():
            _read(dumps[name], settings)
        _swap(wanted, there, warn)
    return [settings.db_name for settings in wanted.values()]


def existing(databases: Mapping[str, PostgresSettings]) -> dict[str, PostgresSettings]:
    """Those of the databases that are there."""
    return {name: settings for name, settings in databases.items() if _is_there(settings)}


def _is_there(settings: PostgresSettings) -> bool:
    with connected(settings, _SERVER) as server:
        found = server.execute("SELECT FROM pg_database WHERE datname = %s", [settings.db_name])
        return found.rowcount == 1


def _read(dump: Path, settings: PostgresSettings) -> None:
    new = _new_name(settings)
    with connected(settings, _SERVER) as server:
        server.execute(_statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", new))
        server.execute(_statement("CREATE DATABASE {} TEMPLATE template0", new))
    run("pg_restore", settings, "--exit-on-error", "--no-owner", "--single-transaction", str(dump), database=new)


def _swap(
    wanted: Mapping[str, PostgresSettings],
    there: Mapping[str, PostgresSettings],
    warn: Callable[[str], object],
) -> None:
    """At a moment when nothing is under way to be counted, if there is one: it would be counted as of the new ones.

    There is none where Kafka is gone, or where the counts are wrong already: that is no reason to restore nothing.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(held_up(there, told=True))
        except (NoMoment, psycopg.Error) as problem:
            warn(f"{str(problem).strip()}\n{_STALE}")
        for settings in there.values():
            _close(settings)
    for settings in wanted.values():
        with connected(settings, _SERVER) as server:
            server.execute(_statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", settings.db_name))
            server.execute(_statement("ALTER DATABASE {} RENAME TO {}", _new_name(settings), settings.db_name))


def _close(settings: PostgresSettings) -> None:
    """Whoever is connected is thrown out, and nobody comes in again."""
    with connected(settings, _SERVER) as server:
        server.execute(_statement("ALTER DATABASE {} ALLOW_CONNECTIONS false", settings.db_name))
        server.execute(_OTHERS, [settings.db_name, OURS])


def _new_name(settings: PostgresSettings) -> str:
    return f"{settings.db_name[: _ROOM - len(_NEW)]}{_NEW}"


def _statement(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))
