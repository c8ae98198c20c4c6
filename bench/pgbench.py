"""The other reference: pgbench sends the service's own SQL straight to the service's own database."""

import os
import re
import resource
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.contender import ContenderFailed
from bench.figures import Round

_RATE = re.compile(r"^tps = ([\d.]+) \(without initial connection time\)", re.MULTILINE)
_LATENCY_COLUMN = 2  # of pgbench's log: client, transaction, microseconds, …


def with_variables(statement: str, *names: str) -> str:
    """A statement of the service as pgbench takes it: each %s becomes the next of `names`, in order."""
    parts = statement.strip().split("%s")
    if len(parts) != len(names) + 1:
        raise ValueError(f"{len(parts) - 1} parameters, but {len(names)} names: {statement}")
    return parts[0] + "".join(name + part for name, part in zip(names, parts[1:], strict=True))


def with_named_variables(statement: str, **values: str) -> str:
    """The same for a statement that names its parameters: each %(name)s becomes the value of that name."""
    return statement.strip() % values


@dataclass(frozen=True, slots=True)
class Pgbench:
    """A pgbench script run by as many connections as there are calls in flight.

    `variables` are texts; numbers that change are made in the script. Statements are prepared, as the service's are.
    """

    name: str
    script: str
    postgres: psycopg.Connection
    variables: Mapping[str, str] = field(default_factory=dict)
    servers: Mapping[str, int] = field(default_factory=dict)

    def run(self, seconds: float, in_flight: int) -> Round:
        whole_seconds = max(1, round(seconds))  # pgbench knows no others
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "script.sql").write_text(self.script)
            before = _children_cpu()
            output = self._pgbench(folder, whole_seconds, in_flight)
            used = _children_cpu() - before
            latencies = logged_latencies(Path(folder))
        return Round(len(latencies), len(latencies) / rate_of(output), latencies, used)

    def _pgbench(self, folder: str, seconds: int, connections: int) -> str:
        info = self.postgres.info
        done = subprocess.run(
            [
                str(_program(self.postgres)),
                *("--no-vacuum", "--protocol=prepared", "--log", "--file=script.sql"),
                *(f"--time={seconds}", f"--client={connections}", "--jobs=1"),
                *(f"--define={name}={value}" for name, value in self.variables.items()),
                *("-h", info.host, "-p", str(info.port), "-U", info.user, info.dbname),
            ],
            cwd=folder,
            env={**os.environ, "PGPASSWORD": info.password},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ContenderFailed(f"{self.name}: {done.stderr.strip()}")
        return done.stdout


def rate_of(output: str) -> float:
    found = _RATE.search(output)
    if found is None:
        raise ContenderFailed(f"pgbench named no rate:\n{output}")
    return float(found.group(1))


def logged_latencies(folder: Path) -> Sequence[float]:
    """Seconds of each transaction, from the log files that pgbench wrote there."""
    logs = (path.read_text() for path in folder.glob("pgbench_log.*"))
    return [int(line.split()[_LATENCY_COLUMN]) / 1e6 for log in logs for line in log.splitlines()]


def _program(postgres: psycopg.Connection) -> Path:
    """The pgbench that came with the running server: the server knows where its programs are."""
    (folder,) = postgres.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone() or (".",)
    return Path(folder, "pgbench")


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
