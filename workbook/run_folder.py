"""The folder of one run: data and logs of a stack, removed at its end or, after a crash, by the next run."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

PREFIX = f"ticket-workbook-{os.getuid()}-"
_LOCK = "owner.lock"


def claim_folder() -> TextIO:
    """A fresh folder for data and logs, as the locked file in it: while that is open, no sweep takes the folder."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        folder.chmod(0o755)  # PostgreSQL may run as another user (see postgres.py); its own folder inside is closed
        lock = (folder / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():  # another stack's sweep may have come between the two lines above
            return lock


def sweep() -> None:
    """Removes folders whose owner died: nobody holds their lock."""
    for lock_file in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError), lock_file.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_file.parent, ignore_errors=True)
