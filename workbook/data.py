"""The commands about what a system holds: sample events, backups, and the secrets it is started with."""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any


def add_data(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `sample`, `backup`, `restore` and `secrets`."""
    sample = commands.add_parser("sample", help="put sample events on sale, once however often it is run")
    sample.add_argument("--target", default="local", metavar="TARGET", help=_SAMPLE_TARGETS)
    sample.set_defaults(runner=lambda chosen: _in("workbook.sample").main(chosen.target))

    saved = commands.add_parser("backup", help="all databases as of one moment, in one file", description=_BACKUP)
    saved.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")
    saved.set_defaults(runner=lambda chosen: _in(_BACKUPS).back_up(chosen.file, chosen.target))
    put = commands.add_parser("restore", help="put a backup's databases back", description=_RESTORE)
    put.add_argument("file", type=Path, metavar="FILE", help="what `./learn backup` has written")
    put.add_argument("--yes", action="store_true", help="overwrite the databases that are there")
    put.set_defaults(runner=lambda c: _in(_BACKUPS).put_back(c.file, c.target, overwrite=c.yes))
    for one in (saved, put):
        one.add_argument("--target", choices=["local", "compose"], default="local", help=_WHOSE_DATABASES)

    made = commands.add_parser("secrets", help="make the passwords and keys that docker-compose.prod.yml reads")
    made.set_defaults(runner=lambda _: _in("workbook.production").main())


def _in(module: str) -> Any:
    return import_module(module)


_BACKUPS = "workbook.backup.command"
_SAMPLE_TARGETS = "local (default: a stack that runs here), compose, kubernetes, or event-service=HOST:PORT"
_WHOSE_DATABASES = "where DB_HOST, DB_PORT and DB_PASSWORD say (default: ./learn up's), or the containers'"
_BACKUP = "Writes all databases as they were at one moment; bookings go on meanwhile, held up for a moment."
_RESTORE = "Puts all databases back as a backup has them. Services that run find them again by themselves."
