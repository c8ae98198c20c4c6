"""Nothing outlives its owner: whatever ends the owner, its parts are gone soon after, and so are their ports."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.greeters import STUBBORN, Make, greeters
from tests.waiting import until
from workbook.guard import family, living, main
from workbook.ports import free_port, is_free


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with greeters(tmp_path) as make:
        yield make


LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(3600)"
OWNER = f"""
import signal, subprocess, sys, tempfile, time
for number in (signal.SIGINT, signal.SIGHUP):  # ignored where the tests themselves run in the background
    signal.signal(number, signal.SIG_DFL)
from pathlib import Path
from workbook.part import Part, Program
from workbook.ports import is_free

port, how = int(sys.argv[1]), sys.argv[2]
argv = [sys.executable, "-S", "-c", {LISTEN!r}, str(port)]
if how == "unguarded":
    pid = subprocess.Popen(argv, start_new_session=True).pid
    while is_free(port):
        time.sleep(0.01)
else:
    program = Program(argv, ready=lambda: not is_free(port))
    part = Part("sleeper", f"127.0.0.1:{{port}}", program, Path(tempfile.gettempdir()) / f"{{port}}.log")
    part.start()
    pid = part.pid
    if how == "paused":
        part.pause()
print(pid, flush=True)
time.sleep(3600)
"""


@contextlib.contextmanager
def owning(how: str) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A process that owns a part; with the part's pid and port."""
    port = free_port()
    command = [sys.executable, "-c", OWNER, str(port), how]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert owner.stdout is not None
    with owner, contextlib.closing(owner.stdout):
        yield owner, int(owner.stdout.readline()), port
        owner.kill()


@pytest.mark.parametrize("how", ["running", "paused"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_part_ends_with_its_owner(how: str, number: signal.Signals) -> None:
    with owning(how) as (owner, pid, port):
        assert {owner.pid, pid} < family(owner.pid)
        everyone = family(owner.pid)
        os.killpg(owner.pid, number)  # all that a terminal would reach: a guard beside its owner would die first
        until(lambda: not everyone & living().keys())
        assert is_free(port)


@pytest.mark.parametrize("how", ["running", "paused"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_part_ends_with_its_guard(how: str, number: signal.Signals) -> None:
    with owning(how) as (_, pid, port):
        guard = living()[pid]
        os.kill(guard, number)
        until(lambda: not {guard, pid} & living().keys())
        assert is_free(port)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, whose kernel ends a child with its parent")
@pytest.mark.parametrize("how", ["running", "paused"])
def test_a_part_ends_with_a_guard_that_is_killed(how: str) -> None:
    with owning(how) as (_, pid, port):
        os.kill(living()[pid], signal.SIGKILL)
        until(lambda: pid not in living())
        assert is_free(port)


def test_a_part_whose_guard_is_told_twice_is_told_once(make: Make) -> None:
    part = make(STUBBORN, grace=2)
    part.start()
    for number in (signal.SIGTERM, signal.SIGHUP):
        os.kill(living()[part.pid], number)
    part.stop()
    assert part.log_tail().splitlines() == ["listening", "goodbye"]


def test_without_a_guard_it_stays() -> None:
    """The test above can fail: a session of its own alone makes an orphan."""
    with owning("unguarded") as (owner, pid, port):
        owner.kill()
        owner.wait()
        time.sleep(0.5)
        assert pid in living()
        assert not is_free(port)
        os.kill(pid, signal.SIGKILL)


def test_a_paused_owner_keeps_its_part() -> None:
    with owning("running") as (owner, pid, _):
        owner.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        assert pid in living()
        owner.send_signal(signal.SIGCONT)


def test_the_guard_needs_nothing_but_the_standard_library() -> None:
    with open(main.__code__.co_filename) as source:  # noqa: PTH123 - a name, not a path
        imported = [line.split()[1] for line in source if line.startswith(("import ", "from "))]
    assert set(imported) <= sys.stdlib_module_names
