"""A limit of CPU without a container: who has used up its share of a tenth of a second stands still for the rest.

Linux does the same to a container that has a limit. It counts and stops in the kernel; this stands in for it with
SIGSTOP and SIGCONT, so it is late by a millisecond or two, to the process's gain.
"""

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Self

PERIOD = 0.1  # seconds; Linux' own
_GLANCE = 0.001
_OF_A_PROCESS = 2  # CPUCLOCK_SCHED: that of all its threads together


class CpuLimit:
    """Holds a process to `cpus`, such as 0.2, for the length of a block. `used` is what it took meanwhile, in CPUs."""

    def __init__(self, pid: int, cpus: float) -> None:
        self._pid = pid
        self._quota = cpus * PERIOD
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold, daemon=True, name="cpu-limit")
        self.periods = self.held_back = 0
        self.used = 0.0

    def __enter__(self) -> Self:
        self._began, self._before = time.monotonic(), cpu_seconds(self._pid)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.used = (cpu_seconds(self._pid) - self._before) / (time.monotonic() - self._began)

    def _hold(self) -> None:
        try:
            while not self._over.is_set():
                self.periods += 1
                self._one_period(ends_at=time.monotonic() + PERIOD)
        finally:
            _signal(self._pid, signal.SIGCONT)

    def _one_period(self, ends_at: float) -> None:
        """The process runs, until its quota is used up or the period ends."""
        allowed = cpu_seconds(self._pid) + self._quota
        _signal(self._pid, signal.SIGCONT)
        while time.monotonic() < ends_at and not self._over.wait(_GLANCE):
            if cpu_seconds(self._pid) >= allowed:
                _signal(self._pid, signal.SIGSTOP)
                self.held_back += 1
                self._over.wait(max(0, ends_at - time.monotonic()))


def cpu_seconds(pid: int) -> float:
    """What a process of this machine has used until now. Linux only: it has a clock for each process."""
    return time.clock_gettime(~pid << 3 | _OF_A_PROCESS)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended
        os.kill(pid, number)
