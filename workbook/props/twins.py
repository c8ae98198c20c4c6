"""The twin server as a process that a lesson can start, pause and stop, and that never outlives its kernel."""

import contextlib
import socket
import sys
import tempfile
from pathlib import Path

from workbook.part import Part, Program
from workbook.ports import free_port


class Twins:
    """GetBooking over gRPC at `grpc`, and over REST at `rest`; both addresses lead to one process, the `part`."""

    def __init__(self) -> None:
        ports = [free_port(), free_port()]
        self.grpc, self.rest = (f"127.0.0.1:{port}" for port in ports)
        self._folder = tempfile.TemporaryDirectory(prefix="ticket-twins-")
        program = Program(
            argv=[sys.executable, "-m", "workbook.props.twin_server", *map(str, ports)],
            ready=lambda: all(map(_listens, ports)),
        )
        self.part = Part("twins", self.grpc, program, Path(self._folder.name) / "twins.log")
        self.part.start()

    def stop(self) -> None:
        self.part.stop()
        self._folder.cleanup()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
