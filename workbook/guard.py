"""Stands between an owner and a program, so that the program never outlives its owner, however the owner dies.

    python guard.py LOG STOP_SIGNAL GRACE_SECONDS UID -- PROGRAM [ARGUMENT ...]

The guard starts PROGRAM in a session of its own (a Ctrl-C meant for the owner does not reach it) and prints its pid.
The owner sends signal numbers, one a line, through the guard's standard input. When that pipe ends, because the owner
closed it or died, even by SIGKILL, the program gets STOP_SIGNAL and, after the grace, SIGKILL. The guard ends with the
program, with its exit status. Standard library only: it starts in a few tens of milliseconds.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


def main() -> None:
    log, stop_signal, grace, uid, _, *argv = sys.argv[1:]
    user = int(uid) if uid else None
    with Path(log).open("ab") as output:
        program = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    sys.stdout.write(f"{program.pid}\n")
    sys.stdout.flush()
    obeying = threading.Thread(target=obey, args=(program, int(stop_signal), float(grace)), daemon=True)
    obeying.start()
    status = program.wait()
    os._exit(status if status >= 0 else 128 - status)


def obey(program: subprocess.Popen[bytes], stop_signal: int, grace: float) -> None:
    for line in sys.stdin:
        send(program, int(line))
    send(program, stop_signal)
    send(program, signal.SIGCONT)  # a paused program must wake up to hear it
    try:
        program.wait(grace)
    except subprocess.TimeoutExpired:
        send(program, signal.SIGKILL)


def send(program: subprocess.Popen[bytes], number: int) -> None:
    if program.poll() is None:
        os.killpg(program.pid, number)


if __name__ == "__main__":
    main()
