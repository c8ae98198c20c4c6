"""The shell commands that people give to restart and to pause a service of theirs, whose name they find in SERVICE."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from workbook.checks.system import CannotRestart

_LIMIT = 90  # seconds for a command to end


@contextmanager
def stopped(command: str, service: str) -> Iterator[None]:
    """The service is stopped by the command inside the block."""
    ordered(command, service, SIGNAL="STOP")
    try:
        yield
    finally:
        ordered(command, service, SIGNAL="CONT")


def ordered(command: str, service: str, **environment: str) -> None:
    """Runs the command for a service, to its end; raises CannotRestart."""
    # Output goes to a file, not a pipe: a server started in the background keeps it open, and a pipe would never end.
    with tempfile.TemporaryFile("w+") as output:
        try:
            ended = subprocess.run(
                ["sh", "-c", command],
                env={**os.environ, "SERVICE": service, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_LIMIT,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotRestart(f"{command!r} did not end within {_LIMIT} s") from None
        output.seek(0)
        said = output.read().strip().splitlines()[-1:]
    if ended.returncode:
        raise CannotRestart(f"{command!r} exited with {ended.returncode}: {''.join(said) or 'it said nothing'}")
