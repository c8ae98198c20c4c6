"""Migrations on a real database: forth and back, two at once, and failures that change nothing."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from booking_service.app import MIGRATIONS
from booking_service.config import BookingSettings
from chassis import migrations
from chassis.migrations import MigrationFailed, create_database, migrate
from pydantic import SecretStr

from tests.waiting import until
from workbook.part import Part
from workbook.postgres import connect

VERSION = """
from alembic import op

revision = {name!r}
down_revision = {after!r}


def upgrade() -> None:
    for statement in {statements!r}:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE {name}")
"""

Versions = Callable[..., Path]


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """Writes a migration of these statements, to run after another one; gives the folder of all written so far."""

    def write(name: str, *statements: str, after: str | None = None) -> Path:
        (tmp_path / f"{name}.py").write_text(VERSION.format(name=name, after=after, statements=statements))
        return tmp_path

    return write


@pytest.fixture
def fresh(not_there: BookingSettings) -> BookingSettings:
    """An empty database."""
    create_database(not_there)
    return not_there


def tables(settings: BookingSettings) -> set[str]:
    with connect(f"{settings.db_host}:{settings.db_port}", settings.db_name) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name for (name,) in rows} - {"alembic_version"}


def test_up_down_and_up_again(fresh: BookingSettings) -> None:
    for revision, expected in (("heads", {"bookings"}), ("base", set()), ("heads", {"bookings"}), ("-1", set())):
        migrate(fresh, [MIGRATIONS], revision)
        assert tables(fresh) == expected


def test_up_twice_changes_nothing(fresh: BookingSettings) -> None:
    migrate(fresh, [MIGRATIONS])
    migrate(fresh, [MIGRATIONS])
    assert tables(fresh) == {"bookings"}


def test_up_and_down_to_a_revision_by_name(fresh: BookingSettings, versions: Versions) -> None:
    versions("first", "CREATE TABLE first ()")
    folder = versions("second", "CREATE TABLE second ()", after="first")
    for revision, expected in (("first", {"first"}), ("heads", {"first", "second"}), ("first", {"first"})):
        migrate(fresh, [folder], revision)
        assert tables(fresh) == expected


def test_the_database_is_made_once(not_there: BookingSettings) -> None:
    assert create_database(not_there) is True
    assert create_database(not_there) is False


def test_many_who_make_the_database_at_once_do_not_disturb_each_other(not_there: BookingSettings) -> None:
    together = threading.Barrier(6)

    def make(_: int) -> bool:
        together.wait()
        return create_database(not_there)

    with ThreadPoolExecutor(6) as at_once:
        made = list(at_once.map(make, range(6)))
    assert sorted(made) == [False] * 5 + [True]


def test_a_second_migrator_waits_for_the_first(fresh: BookingSettings, postgres: Part) -> None:
    with connect(postgres.address, fresh.db_name) as first:
        first.execute("SELECT pg_advisory_lock(hashtext('alembic'))")
        second = threading.Thread(target=migrate, args=(fresh, [MIGRATIONS]))
        second.start()
        until(lambda: first.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").rowcount)
        assert tables(fresh) == set()
        first.execute("SELECT pg_advisory_unlock(hashtext('alembic'))")
        second.join()
    assert tables(fresh) == {"bookings"}


def test_a_table_in_use_gives_a_clear_error_and_stays(
    fresh: BookingSettings, postgres: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "100ms")
    migrate(fresh, [MIGRATIONS])
    with connect(postgres.address, fresh.db_name) as other, other.transaction():
        other.execute("LOCK TABLE bookings IN ACCESS SHARE MODE")
        with pytest.raises(MigrationFailed, match="a table was in use for 100ms: nothing was changed, run it again"):
            migrate(fresh, [MIGRATIONS], "base")
    assert tables(fresh) == {"bookings"}
    migrate(fresh, [MIGRATIONS], "base")
    assert tables(fresh) == set()


def test_a_migration_that_fails_half_way_leaves_nothing(fresh: BookingSettings, versions: Versions) -> None:
    versions("good", "CREATE TABLE good ()")
    folder = versions("half", "CREATE TABLE half ()", "SELECT 1 / 0", after="good")
    with pytest.raises(MigrationFailed, match="division by zero"):
        migrate(fresh, [folder])
    assert tables(fresh) == {"good"}


def test_a_failed_migration_can_be_mended_and_run_again(fresh: BookingSettings, versions: Versions) -> None:
    folder = versions("half", "CREATE TABLE half ()", "SELECT 1 / 0")
    with pytest.raises(MigrationFailed):
        migrate(fresh, [folder])
    migrate(fresh, [versions("half", "CREATE TABLE half ()", "SELECT 1")])
    assert tables(fresh) == {"half"}


@pytest.mark.parametrize("revision", ["no_such_revision", "-7"])
def test_an_unknown_revision_is_named(fresh: BookingSettings, revision: str) -> None:
    with pytest.raises(MigrationFailed, match=revision):
        migrate(fresh, [MIGRATIONS], revision)


def test_a_wrong_password_is_not_repeated(fresh: BookingSettings) -> None:
    wrong = fresh.model_copy(update={"db_password": SecretStr("hunter2")})
    with pytest.raises(psycopg.OperationalError, match="password authentication failed") as refused:
        create_database(wrong)
    with pytest.raises(MigrationFailed, match="password authentication failed") as failed:
        migrate(wrong, [MIGRATIONS])
    assert "hunter2" not in f"{refused.value}{failed.value}"


def test_a_database_that_is_not_there_is_named(not_there: BookingSettings) -> None:
    with pytest.raises(MigrationFailed, match=not_there.db_name):
        migrate(not_there, [MIGRATIONS])


def test_folders_may_have_odd_names(fresh: BookingSettings, tmp_path: Path) -> None:
    odd = tmp_path / "50% of, my: folders"
    odd.mkdir()
    (odd / "first.py").write_text(VERSION.format(name="first", after=None, statements=["CREATE TABLE first ()"]))
    migrate(fresh, [odd])
    assert tables(fresh) == {"first"}
