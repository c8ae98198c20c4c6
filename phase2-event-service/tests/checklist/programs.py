"""Starts the systems of this folder as programs, which end when the test that started them does."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import until
from workbook.checks.probe import answers_within

_FOLDER = Path(__file__).parent


@contextmanager
def wrong_systems(folder: Path, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Systems of wrong_systems.py in one process: the target of each by name."""
    with printing("wrong_systems.py", str(folder), *names) as lines:
        systems = [json.loads(next(lines)) for _ in names]
        ports = [system[service] for system in systems for service in ("event-service", "booking-service")]
        with ThreadPoolExecutor(8) as pool:  # gRPC takes a fifth of a second to tell of each that it is connected
            list(pool.map(_until_there, ports))
        yield {system["name"]: _target(system) for system in systems}


def restart_command(folder: Path, name: str) -> str:
    """Kills and starts $SERVICE of a system, and returns once it is back."""
    kill = f"{shlex.quote(str(folder / name))}.$SERVICE.kill"
    return f"touch {kill} && while test -e {kill}; do sleep 0.05; done"


def pause_command(folder: Path, name: str) -> str:
    """Pauses $SERVICE of a system, or lets it go on, as $SIGNAL says."""
    pause = f"{shlex.quote(str(folder / name))}.$SERVICE.pause"
    return f"if test $SIGNAL = STOP; then touch {pause}; else rm {pause}; fi"


@contextmanager
def roadmap_system(folder: Path, *variants: str) -> Iterator[str]:
    """The services of roadmap_system.py, a process each: their target. Their ids are in FOLDER/SERVICE.pid."""
    with printing("roadmap_system.py", "event-service", *variants, pid=folder / "event-service.pid") as events:
        port = int(next(events))
        with printing("roadmap_system.py", "booking-service", str(port), pid=folder / "booking-service.pid") as lines:
            yield _target({"event-service": port, "booking-service": int(next(lines))})


@contextmanager
def printing(script: str, *arguments: str, pid: Path | None = None) -> Iterator[Iterator[str]]:
    """A running script of this folder, and the lines it prints; its process id is written to `pid`."""
    command = [sys.executable, str(_FOLDER / script), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if pid is not None:
            pid.write_text(str(process.pid))
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout
        finally:
            process.stdin.close()
            process.stdout.close()


def _until_there(port: int) -> None:
    until(lambda: answers_within(f"127.0.0.1:{port}", 1))


def _target(ports: dict[str, int]) -> str:
    return ",".join(f"{service}=127.0.0.1:{ports[service]}" for service in ("booking-service", "event-service"))
