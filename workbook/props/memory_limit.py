"""A limit of memory without a container: who takes more is killed, and is not asked.

For a container the kernel does so, at the moment the memory is taken. This looks again and again, and kills the same
way, with SIGKILL.
"""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

_GLANCE = 0.005  # seconds
_PAGE = os.sysconf("SC_PAGE_SIZE")


class MemoryLimit:
    """Holds a process to so many bytes for the length of a block; `killed_at` is what it had when it was killed."""

    def __init__(self, pid: int, limit: int) -> None:
        self._pid = pid
        self._limit = limit
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="memory-limit")
        self.killed_at: int | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_GLANCE):
            taken = own_memory(self._pid)
            if taken > self._limit:
                with suppress(ProcessLookupError):  # it ended by itself
                    os.kill(self._pid, signal.SIGKILL)
                self.killed_at = taken
                return


def own_memory(pid: int) -> int:
    """Bytes of memory that a process of this machine holds for itself now; 0 if there is none.

    Where the system tells it (Linux), without programs and libraries: their pages are files', and others use them too.
    """
    if Path("/proc/self/statm").exists():
        try:
            _, taken, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
        except OSError:
            return 0
        return (taken - shared) * _PAGE
    asked = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return 1024 * int(asked.stdout or 0)
