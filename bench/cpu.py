"""CPU time of running processes, from Linux's /proc; where there is none, nothing is measured and nothing claimed."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_PROC = Path("/proc")


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds used so far by each process and its children (PostgreSQL has many), {} where it cannot be read."""
    if not (_PROC / "self" / "stat").exists():
        return {}
    everyone = dict(_processes())
    ticks = os.sysconf("SC_CLK_TCK")
    return {
        name: sum(used for parent, process, used in _family(everyone, pid)) / ticks
        for name, pid in pids.items()
        if pid in everyone
    }


def _family(everyone: Mapping[int, tuple[int, int]], pid: int) -> Iterator[tuple[int, int, int]]:
    for process, (parent, used) in everyone.items():
        if pid in (process, parent):
            yield parent, process, used


def _processes() -> Iterator[tuple[int, tuple[int, int]]]:
    """(pid, (pid of its parent, clock ticks used by it and by those of its children that have ended))."""
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
            except OSError:  # it has just ended
                continue
            fields = stat.rpartition(")")[2].split()  # behind the name, which may hold anything
            yield int(folder.name), (int(fields[1]), sum(map(int, fields[11:15])))
