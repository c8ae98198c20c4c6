"""One part of the local stack: a program with a name that can be started, killed, paused, resumed and restarted."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from workbook.ports import is_free

_GUARD = Path(__file__).parent / "guard.py"
_LOG_TAIL = 20


class State(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class PartFailed(Exception):
    """A part did not start, or ended by itself; the text carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """What a part runs. `ready` answers whether it can be used; it is asked until it is, or the part has ended.

    `uid` is the user to run as, None for the owner's own; `stop_signal` asks for an orderly end within `grace` seconds.
    `patience` is how many seconds it may take to be ready: on a busy machine six Pythons start at once.
    """

    argv: Sequence[str]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10
    patience: float = 120
    uid: int | None = None


class Part:
    """A running program and its guard (see guard.py). All methods return when what they did is done."""

    def __init__(self, name: str, address: str, program: Program, log: Path) -> None:
        self.name = name
        self.address = address
        self.log = log
        self._program = program
        self._guard: subprocess.Popen[str] | None = None
        self._paused = False
        self.pid = 0

    @property
    def state(self) -> State:
        if self._guard is None or self._guard.poll() is not None:
            return State.STOPPED
        return State.PAUSED if self._paused else State.RUNNING

    def start(self) -> None:
        """Starts the program and waits until it is ready; raises PartFailed when it ends first or takes too long."""
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        """Starts the program without waiting for it to be ready; raises PartFailed when its port is taken."""
        if self.state is not State.STOPPED:
            return
        self._ended()  # it may have ended by itself
        if not is_free(int(self.address.rpartition(":")[2])):  # else whoever is there would pass for the program
            raise PartFailed(f"{self.name} cannot start: another program listens on {self.address}")
        program = self._program
        uid = "" if program.uid is None else str(program.uid)
        guard = [sys.executable, "-S", "-E", str(_GUARD)]
        self._guard = subprocess.Popen(
            [*guard, str(self.log), str(int(program.stop_signal)), str(program.grace), uid, "--", *program.argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A Python program's last words are in its log, in order, whatever ends it.
            env={"PYTHONUNBUFFERED": "1", **os.environ, **program.environment},
            start_new_session=True,
        )
        self._paused = False
        if self._guard.stdout is not None:
            self.pid = int(self._guard.stdout.readline() or 0)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + self._program.patience
        while not self._program.ready() or self.state is State.STOPPED:
            if self.state is State.STOPPED:
                raise PartFailed(f"{self.name} ended while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise PartFailed(f"{self.name} is not ready after {self._program.patience:g} s:\n{self.log_tail()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Asks for an orderly end, and waits for it; kills what does not end in its grace."""
        if self._guard is None:
            return
        if self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
        self._ended()

    def kill(self) -> None:
        """SIGKILL: the program gets no chance to write, flush or say goodbye."""
        self._signal(signal.SIGKILL)
        self._ended()

    def pause(self) -> None:
        """SIGSTOP: the program is there, its connections stay open, and it does not answer."""
        self._signal(signal.SIGSTOP)
        self._paused = self.state is not State.STOPPED

    def resume(self) -> None:
        """SIGCONT: a paused program goes on where it was."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def restart(self) -> None:
        self.stop()
        self.start()

    def log_tail(self, lines: int = _LOG_TAIL) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        guard = self._guard
        if guard is None or guard.stdin is None or guard.stdout is None or self.state is State.STOPPED:
            return
        with contextlib.suppress(BrokenPipeError):  # it ended just now
            guard.stdin.write(f"{int(number)}\n")
            guard.stdin.flush()
            guard.stdout.readline()  # the guard says when it is done

    def _ended(self) -> None:
        guard, self._guard = self._guard, None
        if guard is None:
            return
        guard.wait()
        for pipe in (guard.stdin, guard.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # a signal that came too late is still in it
                    pipe.close()
