"""Stands between an owner and a program, so that the program never outlives its owner, however the owner dies.

    python guard.py LOG STOP_SIGNAL GRACE_SECONDS UID -- PROGRAM [ARGUMENT ...]

The guard starts PROGRAM in a session of its own (a Ctrl-C meant for the owner does not reach it) and prints its pid.
The owner sends signal numbers, one a line, through the guard's standard input; the guard prints a line when one is
done. When that pipe ends, because the owner closed it or died, even by SIGKILL, or when the guard itself is asked to
end, the program gets STOP_SIGNAL and, after the grace, SIGKILL. The guard ends with the program, with its exit status;
on Linux a guard that is killed takes the program with it. Standard library only: it starts in a few tens of
milliseconds.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue

_PROC = Path("/proc")
_NO_SUCH_PROGRAM = 127  # as shells have it
_PR_SET_PDEATHSIG = 1  # from Linux's prctl.h
_ENDED = 0  # what stands in the queue when the owner is gone; no signal has this number


def main() -> None:
    log, stop_signal, grace, uid, _, *argv = sys.argv[1:]
    user = int(uid) if uid else None
    over: SimpleQueue[int] = SimpleQueue()  # a signal handler may put into it whatever it has interrupted
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: over.put(number))
    with Path(log).open("ab", buffering=0) as output:
        try:
            program = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads yet
            )
        except OSError as error:
            output.write(f"{argv[0]} cannot be run: {error.strerror}\n".encode())
            sys.exit(_NO_SUCH_PROGRAM)
    say(program.pid)
    threading.Thread(target=obey, args=(program, over), daemon=True).start()
    threading.Thread(target=end, args=(program, over, int(stop_signal), float(grace)), daemon=True).start()
    status = program.wait()
    os._exit(status if status >= 0 else 128 - status)


def die_with_parent() -> None:
    """Has the kernel kill this process when its parent has died; on Linux only."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def obey(program: subprocess.Popen[bytes], over: SimpleQueue[int]) -> None:
    for line in sys.stdin:
        send(program.pid, int(line))
        say(line.strip())
    over.put(_ENDED)


def end(program: subprocess.Popen[bytes], over: SimpleQueue[int], stop_signal: int, grace: float) -> None:
    """Waits until the owner is gone or the guard is told to end, then ends the program: once, however often."""
    over.get()
    signal_one(program.pid, stop_signal)
    send(program.pid, signal.SIGCONT)  # a paused program must wake up to hear it
    try:
        program.wait(grace)
    except subprocess.TimeoutExpired:
        send(program.pid, signal.SIGKILL)


def say(word: object) -> None:
    with contextlib.suppress(OSError):  # the owner is gone, and with it whoever wanted to know
        sys.stdout.write(f"{word}\n")
        sys.stdout.flush()


def send(leader: int, number: int) -> None:
    """Pauses, wakes or kills the program with all it started: PostgreSQL answers from processes of its own sessions."""
    if number == signal.SIGSTOP:
        freeze(leader)
    elif number == signal.SIGKILL:
        kill(leader)
    else:
        for pid in family(leader):
            signal_one(pid, number)


def freeze(leader: int) -> set[int]:
    """Stops the whole family, and returns it: who is stopped starts no more children, so nobody is missed."""
    frozen: set[int] = set()
    while born := family(leader) - frozen:
        for pid in born:
            signal_one(pid, signal.SIGSTOP)
        frozen |= born
    return frozen


def kill(leader: int) -> None:
    children = freeze(leader) - {leader}
    for pid in children:
        signal_one(pid, signal.SIGKILL)
    while children & family(leader):  # what they held, such as shared memory, is free when they are gone
        time.sleep(0.001)
    signal_one(leader, signal.SIGKILL)


def family(leader: int) -> set[int]:
    """The pids of a process and all that descend from it."""
    parents = living()
    found: set[int] = set()
    new = {leader}
    while new:
        found |= new
        new = {pid for pid, parent in parents.items() if parent in new}
    return found


def living() -> dict[int, int]:
    """The parent of each process of this machine, without zombies: they are gone but for their exit status."""
    if not (_PROC / "self" / "stat").exists():  # not Linux
        asked = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
        rows = [line.split() for line in asked.stdout.splitlines()]
    else:
        rows = [row for folder in _PROC.glob("[0-9]*") if (row := stat_of(folder))]
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}


def stat_of(folder: Path) -> list[str]:
    try:
        before, after = (folder / "stat").read_text().rsplit(")", 1)  # the name in between may hold anything
    except OSError:  # it ended just now
        return []
    state, parent, *_ = after.split()
    return [before.split()[0], parent, state]


def signal_one(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    main()
