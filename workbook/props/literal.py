"""Copies of the literal booking service as processes, for as long as a block lasts."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from workbook.part import Part, Program
from workbook.ports import free_port, is_free


@contextmanager
def literal_services(event_address: str, folder: Path, *, copies: int = 1, lock: bool = False) -> Iterator[list[str]]:
    """The addresses of `copies` processes that serve bookings as literal_service.py does; logs go to `folder`."""
    with ExitStack() as stack:
        parts = [_part(event_address, folder, lock=lock) for _ in range(copies)]
        for part in parts:
            part.spawn()
            stack.callback(part.stop)
        for part in parts:
            part.wait_ready()
        yield [part.address for part in parts]


def _part(event_address: str, folder: Path, *, lock: bool) -> Part:
    port = free_port()
    argv = [sys.executable, "-m", "workbook.props.literal_service", str(port), event_address]
    program = Program(argv=[*argv, *(["--lock"] if lock else [])], ready=lambda: not is_free(port))
    return Part("literal", f"127.0.0.1:{port}", program, folder / f"literal-{port}.log")
