"""Commands for a checklist that act on what runs in this process: a file says what is to be done to whom."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_DOWN = 0.3  # seconds between a kill and the next start, in which others go on


class Piece(Protocol):
    """What goes away when its service is killed, or stops to answer."""

    def start(self) -> None: ...
    def kill(self) -> None: ...


@contextmanager
def commanded(prefix: Path, parts: Mapping[str, Sequence[Piece]]) -> Iterator[tuple[str, str]]:
    """The commands that pause a $SERVICE with a $SIGNAL, and that kill it and start it again."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for service, pieces in parts.items():
                _obey(prefix, service, pieces, over)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    yield _command(f"{prefix}.$SERVICE.$SIGNAL"), _command(f"{prefix}.$SERVICE.KILL")
    over.set()
    watching.join()


def _obey(prefix: Path, service: str, pieces: Sequence[Piece], over: threading.Event) -> None:
    for signal in ("STOP", "CONT", "KILL"):
        file = Path(f"{prefix}.{service}.{signal}")
        if not file.exists():
            continue
        if signal != "CONT":
            for piece in pieces:
                piece.kill()
        if signal == "KILL":
            over.wait(_DOWN)
        if signal != "STOP":
            for piece in pieces:
                piece.start()
        file.unlink()


def _command(file: str) -> str:
    return f"touch {file} && while test -e {file}; do sleep 0.05; done"
