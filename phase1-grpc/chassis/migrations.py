"""Database migrations: a step of their own, before the service starts, never inside it.

Version files live with their service; alembic's environment is `chassis/alembic`, the same for all of them.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql

from chassis.settings import CannotStart, PostgresSettings

_ENVIRONMENT = Path(__file__).parent / "alembic"
LOCK_TIMEOUT = "5s"  # a migration that waits for a table makes every query after it wait too: better to give up

LOCK = "SELECT pg_advisory_lock(hashtext('alembic'))"
"""Makes whoever migrates wait for whoever does so already; it belongs to the session and ends with it."""


class MigrationFailed(CannotStart):
    """The database is as it was before the migration that failed; the text says what to do."""


def create_database(settings: PostgresSettings) -> bool:
    """Creates the service's database when it is not there; True if it was made now."""
    with psycopg.connect(**{**settings.conninfo(), "dbname": "postgres"}, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(LOCK)  # else two of us may both find it missing, and the slower one fails
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [settings.db_name]).rowcount:
            return False
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(settings.db_name)))
        return True


def migrate(settings: PostgresSettings, versions: Sequence[Path], revision: str = "heads") -> None:
    """Moves the database to `revision`, up or down: a name, `heads`, `base`, or a step such as `-1`.

    Each migration is one transaction; two migrators at once queue behind an advisory lock.
    """
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # a line a plugin, on every run
    config = configuration(settings, versions)
    try:
        for move in _moves(revision):
            move(config, revision)
    except Exception as error:
        if isinstance(error.__cause__ or getattr(error, "orig", None), psycopg.errors.LockNotAvailable):
            raise MigrationFailed(
                f"a table was in use for {LOCK_TIMEOUT}: nothing was changed, run it again"
            ) from error
        raise MigrationFailed(f"migration of {settings.db_name} to {revision} failed: {error}") from error


def _moves(revision: str) -> list[Callable[[Config, str], None]]:
    """What leads to the revision. A name may lie on either side: from the wrong one alembic has nothing to do."""
    if revision == "base" or revision.startswith("-"):
        return [command.downgrade]
    if revision in {"head", "heads"} or revision.startswith("+"):
        return [command.upgrade]
    return [command.upgrade, command.downgrade]


def configuration(settings: PostgresSettings, versions: Sequence[Path]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(path).replace("%", "%%") for path in versions))
    config.attributes["settings"] = settings
    return config
