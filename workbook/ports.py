"""Which port each part listens on: the roadmap's, or free ones."""

import fcntl
import itertools
import os
import random
import socket
import tempfile
import threading
from functools import cache
from pathlib import Path

STANDARD = {
    "postgres": 5432,
    "kafka": 9092,
    "traces": 4318,
    "booking-service": 50051,
    "event-service": 50052,
    "user-service": 50053,
    "metrics-consumer": 50054,
    "api-gateway": 8080,
}

# What watches the system in containers. Of these, the local stack runs Prometheus alone.
WATCHING = {"prometheus": 9090, "alertmanager": 9093, "jaeger": 16686, "traces-grpc": 4317, "grafana": 3000}

# Below what Linux and macOS give to clients: while a part is down its clients keep trying to reach it, and one that got
# the part's own port for its end of the line would meet itself there, and keep the part from coming back.
_OURS = range(20_000, 30_000)
_next = itertools.cycle(random.sample(_OURS, len(_OURS)))
_CLAIMS = Path(tempfile.gettempdir()) / f"ticket-workbook-{os.getuid()}.ports"  # a byte a port
_opening = threading.Lock()


class PortsTaken(Exception):
    """Other programs listen where the stack should; the text names the ports and the way out."""


def free_port() -> int:
    """A port that nothing listens on now, and that no other program of this user has chosen; another one each time."""
    unclaimed = (port for port in itertools.islice(_next, len(_OURS)) if _claim(port))
    found = next(filter(is_free, unclaimed), None)
    return found or next(filter(is_free, _next))


def _claim(port: int) -> bool:
    """Whether it is ours until this process ends: a port looks free to others from its choice to its first use."""
    with _opening:  # two threads would open it twice, and the loser's file be closed
        claims = _claims()
    try:
        fcntl.lockf(claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _claims() -> int:
    return os.open(_CLAIMS, os.O_RDWR | os.O_CREAT, 0o600)  # open for life: closing it once would give up all claims


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def chosen_ports(names: list[str], *, standard: bool) -> dict[str, int]:
    """A port for each part; raises PortsTaken where they must be the standard ones."""
    if not standard:
        return {name: free_port() for name in names}
    taken = [f"{STANDARD[name]} ({name})" for name in names if not is_free(STANDARD[name])]
    if taken:
        raise PortsTaken(
            f"port {', '.join(taken)} is taken by another program; stop it, or let the stack choose: --free-ports"
        )
    return {name: STANDARD[name] for name in names}
