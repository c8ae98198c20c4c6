"""The file of a backup: a tar of one dump by pg_dump for each database, and a page that says what they are."""

import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from chassis.settings import PostgresSettings

from workbook.backup.moment import snapshots
from workbook.postgres import client_program

_PAGE = "backup.json"
_KIND = "ticket-workbook backup 1"


class NoBackup(Exception):
    """The file cannot be written or read, or PostgreSQL's tools failed; the text says why."""


def write(file: Path, databases: Mapping[str, PostgresSettings]) -> int:
    """Writes all databases, by service, as of one moment; returns the file's bytes. Raises NoBackup and NoMoment.

    The file appears as a whole or not at all, and only its owner may read it: it holds accounts.
    """
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
            _dump(Path(folder), databases)
            _pack(Path(folder), file)
        return file.stat().st_size
    except OSError as problem:
        raise NoBackup(f"{file} cannot be written: {problem}") from problem


@contextmanager
def opened(file: Path) -> Iterator[dict[str, Path]]:
    """The dumps by service, as files inside the block. Raises NoBackup."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with tarfile.open(file) as tar:
                tar.extractall(folder, filter="data")
            page = json.loads((Path(folder) / _PAGE).read_text())
            dumps = {name: Path(folder) / dump for name, dump in page["databases"].items()}
        except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise NoBackup(f"{file} is no backup: {problem}") from problem
        if page.get("kind") != _KIND or not all(dump.is_file() for dump in dumps.values()):
            raise NoBackup(f"{file} is no backup of this kind")
        yield dumps


def run(program: str, settings: PostgresSettings, *arguments: str, database: str = "") -> None:
    """Runs one of PostgreSQL's tools against the service's database, or another of that server; raises NoBackup."""
    where = {"PGHOST": settings.db_host, "PGPORT": str(settings.db_port), "PGUSER": settings.db_user}
    secret = {"PGPASSWORD": settings.db_password.get_secret_value()}
    command = [str(client_program(program)), f"--dbname={database or settings.db_name}", *arguments]
    ended = subprocess.run(command, env={**os.environ, **where, **secret}, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NoBackup(f"{program} of {settings.db_name} failed:\n{ended.stderr.strip()}")


def _dump(folder: Path, databases: Mapping[str, PostgresSettings]) -> None:
    """A dump of each database, all of one moment, and the page that says what they are."""
    dumps = {}
    with snapshots(databases) as snapshot:
        for name, settings in databases.items():
            dump = folder / f"{settings.db_name}.dump"
            run("pg_dump", settings, "--format=custom", f"--snapshot={snapshot[name]}", f"--file={dump}")
            dumps[name] = dump.name
    page = {"kind": _KIND, "made_at": datetime.now(UTC).isoformat(), "databases": dumps}
    (folder / _PAGE).write_text(json.dumps(page, indent=1))


def _pack(folder: Path, file: Path) -> None:
    unseen = folder / "whole.tar"
    with os.fdopen(os.open(unseen, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for path in sorted(folder.iterdir()):
                if path != unseen:
                    tar.add(path, path.name)
        raw.flush()
        os.fsync(raw.fileno())
    unseen.rename(file)
