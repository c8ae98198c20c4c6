"""Which port each part listens on: the roadmap's, or free ones."""

import itertools
import os
import random
import socket
from collections.abc import Iterator
from functools import cache

STANDARD = {
    "postgres": 5432,
    "kafka": 9092,
    "booking-service": 50051,
    "event-service": 50052,
    "metrics-consumer": 50054,
}

# Below what Linux and macOS give to clients: while a part is down its clients keep trying to reach it, and one that got
# the part's own port for its end of the line would meet itself there, and keep the part from coming back.
OURS = range(20_000, 30_000)
SLICE = "WORKBOOK_PORTS"  # such as 20000-21000: for programs side by side, as a chosen port looks free until it is used


class PortsTaken(Exception):
    """Other programs listen where the stack should; the text names the ports and the way out."""


def free_port() -> int:
    """A port that nothing listens on now; another one each time."""
    return next(port for port in _ports() if is_free(port))


@cache
def _ports() -> Iterator[int]:
    first, last = map(int, os.environ.get(SLICE, f"{OURS.start}-{OURS.stop}").split("-"))
    return itertools.cycle(random.sample(range(first, last), last - first))


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
