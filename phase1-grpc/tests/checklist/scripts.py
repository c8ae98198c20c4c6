"""Starts the servers of this folder as programs, which end when the test that started them does."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_FOLDER = Path(__file__).parent


@contextmanager
def wrong_servers(folder: Path, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Servers of wrong_servers.py in one process: the target of each by name."""
    with _printing("wrong_servers.py", str(folder), *names) as lines:
        ports = [json.loads(next(lines)) for _ in names]
        yield {line["name"]: f"127.0.0.1:{line['port']}" for line in ports}


def restart_command(folder: Path, name: str) -> str:
    """Kills and starts a server of wrong_servers.py, and returns once it is back."""
    kill = shlex.quote(str(folder / f"{name}.kill"))
    return f"touch {kill} && while test -e {kill}; do sleep 0.02; done"


@contextmanager
def roadmap_server(*variants: str) -> Iterator[str]:
    """The server of roadmap_server.py: its target."""
    with _printing("roadmap_server.py", *variants) as lines:
        yield f"127.0.0.1:{int(next(lines))}"


@contextmanager
def _printing(script: str, *arguments: str) -> Iterator[Iterator[str]]:
    command = [sys.executable, str(_FOLDER / script), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout
        finally:
            process.stdin.close()
            process.stdout.close()
