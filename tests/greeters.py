"""Small programs that say hello on their port, as parts for tests."""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbook.part import Part, Program, State
from workbook.ports import free_port

GREETER = """
import signal, socket, sys
def end(*_):
    print("goodbye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    caller, _ = server.accept()
    caller.sendall(b"hello")
    caller.close()
"""
# As PostgreSQL: what answers is a child in a session of its own.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], start_new_session=True)
print("child", child.pid, flush=True)
child.wait()
"""
STUBBORN = GREETER.replace("sys.exit(0)", "return")

Make = Callable[..., Part]


def hears(port: int, timeout: float = 1) -> bool:
    """Whether somebody on this port says hello."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as line:
            return line.recv(5) == b"hello"
    except OSError:
        return False


@contextmanager
def greeters(folder: Path) -> Iterator[Make]:
    """Makes parts out of scripts, which get their port as first argument; all are stopped after the block."""
    made = []

    def part(script: str = GREETER, *more: str, **program: Any) -> Part:
        port = free_port()
        argv = [sys.executable, "-S", "-c", script, str(port), *more]
        made.append(
            Part(
                "greeter",
                f"127.0.0.1:{port}",
                Program(**{"argv": argv, "ready": lambda: hears(port), **program}),
                folder / f"{port}.log",
            )
        )
        return made[-1]

    try:
        yield part
    finally:
        for one in made:
            one.kill()


def port_of(part: Part) -> int:
    return int(part.address.split(":")[1])


def state(part: Part) -> State:
    return part.state  # the type checker would else believe that it stays what it was
