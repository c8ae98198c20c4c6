"""`./learn secrets`: the files that docker-compose.prod.yml reads, made where there are none."""

import os
import secrets
from pathlib import Path

from access.keys import NoKeys, make_keys
from phase5 import HOLDERS

from workbook.phases import ROOT
from workbook.terminal import DONE, console, error

FOLDER = ROOT / "secrets"
PASSWORDS = ("db_password", "grafana_password")
_READABLE = 0o644


def main() -> int:
    """Says what was made; what is there stays, for PostgreSQL keeps the password that it was made with."""
    try:
        made = make_secrets(FOLDER)
    except NoKeys as problem:
        error(str(problem))
        return 1
    console.print(f"{DONE} made in {FOLDER.name}/: {', '.join(made)}" if made else "nothing to make: all are there")
    return 0


def make_secrets(folder: Path) -> list[str]:
    """Makes the passwords and keys that are not there yet; returns their names.

    Only the folder's owner comes to the files. In themselves they can be read by all: a container sees just those it
    is given, as another user than the folder's.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)  # also one that was there
    missing = [name for name in PASSWORDS if not (folder / name).exists()]
    for name in missing:
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _READABLE), "w") as file:
            file.write(secrets.token_urlsafe(24))
    keys = folder / "keys"
    made = [f"keys/{name}.json" for name in make_keys(keys, HOLDERS)]
    for path in [folder / name for name in PASSWORDS] + [*keys.iterdir()]:
        path.chmod(_READABLE)  # whatever the umask has made of it
    return missing + made
