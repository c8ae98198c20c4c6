"""A part of the local stack: start, kill, pause, resume, restart and stop, with what it says when it cannot."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from workbook.guard import living
from workbook.part import Part, PartFailed, Program, State
from workbook.ports import free_port, is_free

GREETER = """
import signal, socket, sys
def end(*_):
    print("goodbye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    caller, _ = server.accept()
    caller.sendall(b"hello")
    caller.close()
"""
# As PostgreSQL: what answers is a child in a session of its own.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], start_new_session=True)
print("child", child.pid, flush=True)
child.wait()
"""
STUBBORN = GREETER.replace("sys.exit(0)", "return")

Make = Callable[..., Part]


def hears(port: int, timeout: float = 1) -> bool:
    """Whether somebody on this port says hello."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as line:
            return line.recv(5) == b"hello"
    except OSError:
        return False


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a part out of a script, which gets its port as first argument; all are stopped after the test."""
    made = []

    def part(script: str = GREETER, *more: str, **program: Any) -> Part:
        port = free_port()
        argv = [sys.executable, "-S", "-c", script, str(port), *more]
        made.append(
            Part(
                "greeter",
                f"127.0.0.1:{port}",
                Program(**{"argv": argv, "ready": lambda: hears(port), **program}),
                tmp_path / f"{port}.log",
            )
        )
        return made[-1]

    yield part
    for one in made:
        one.kill()


def port_of(part: Part) -> int:
    return int(part.address.split(":")[1])


def state(part: Part) -> State:
    return part.state  # the type checker would else believe that it stays what it was


def test_a_started_part_is_ready_has_a_pid_and_a_log(make: Make) -> None:
    part = make()
    assert state(part) is State.STOPPED
    part.start()
    assert state(part) is State.RUNNING
    assert hears(port_of(part))
    assert part.pid in living()
    assert part.log_tail() == "listening"


def test_starting_a_running_part_changes_nothing(make: Make) -> None:
    part = make()
    part.start()
    pid = part.pid
    part.start()
    assert part.pid == pid


def test_a_killed_part_is_gone_when_kill_returns_and_says_no_goodbye(make: Make) -> None:
    part = make()
    part.start()
    part.kill()
    assert state(part) is State.STOPPED
    assert is_free(port_of(part))
    assert "goodbye" not in part.log_tail()
    part.start()
    assert hears(port_of(part))


def test_a_stopped_part_may_say_goodbye(make: Make) -> None:
    part = make()
    part.start()
    part.stop()
    assert state(part) is State.STOPPED
    assert is_free(port_of(part))
    assert part.log_tail().endswith("goodbye")


def test_a_part_that_does_not_end_is_killed_after_its_grace(make: Make) -> None:
    part = make(STUBBORN, grace=0.2)
    part.start()
    part.stop()
    assert part.log_tail().endswith("goodbye")
    assert is_free(port_of(part))


def test_a_restarted_part_is_another_process_on_the_same_address(make: Make) -> None:
    part = make()
    part.start()
    pid = part.pid
    part.restart()
    assert part.pid != pid
    assert hears(port_of(part))


def test_a_paused_part_takes_calls_and_does_not_answer_until_it_is_resumed(make: Make) -> None:
    part = make()
    part.start()
    part.pause()
    assert state(part) is State.PAUSED
    with ThreadPoolExecutor(1) as at_once:
        call = at_once.submit(hears, port_of(part), 30)
        with pytest.raises(TimeoutError):
            call.result(0.2)
        part.resume()
        assert call.result(30)
    assert state(part) is State.RUNNING


@pytest.mark.parametrize("end", ["stop", "kill", "restart"])
def test_a_paused_part_can_be_ended(make: Make, end: str) -> None:
    part = make()
    part.start()
    part.pause()
    getattr(part, end)()
    assert state(part) is (State.RUNNING if end == "restart" else State.STOPPED)
    assert ("goodbye" in part.log_tail()) is (end != "kill")


def test_pause_and_kill_reach_children_in_sessions_of_their_own(make: Make) -> None:
    part = make(PARENT, GREETER)
    part.start()
    child = int(part.log_tail().split()[1])
    part.pause()
    assert not hears(port_of(part), 0.2)
    part.resume()
    assert hears(port_of(part))
    part.kill()
    assert child not in living()
    assert is_free(port_of(part))


def test_killing_only_the_process_group_would_leave_that_child(make: Make) -> None:
    """The test above can fail."""
    part = make(PARENT, GREETER)
    part.start()
    child = int(part.log_tail().split()[1])
    os.killpg(part.pid, signal.SIGKILL)
    until(lambda: part.state is State.STOPPED)
    assert child in living()
    assert hears(port_of(part))
    os.kill(child, signal.SIGKILL)


def test_what_makes_no_sense_changes_nothing(make: Make) -> None:
    part = make()
    for method in (part.stop, part.kill, part.pause, part.resume, part.stop):
        method()
        assert state(part) is State.STOPPED
    part.start()
    part.resume()
    assert state(part) is State.RUNNING


def test_a_part_that_ended_by_itself_is_stopped_and_can_be_started_again(make: Make) -> None:
    part = make()
    part.start()
    os.kill(part.pid, signal.SIGKILL)
    until(lambda: part.state is State.STOPPED)
    part.pause()
    part.resume()
    assert state(part) is State.STOPPED
    part.start()
    assert hears(port_of(part))


def test_signals_that_come_while_it_ends_do_no_harm(make: Make) -> None:
    part = make()
    for _ in range(5):
        part.start()
        os.kill(part.pid, signal.SIGKILL)
        while part.state is not State.STOPPED:
            part.resume()
        part.stop()


def test_a_part_that_ends_while_it_starts_is_reported_at_once_with_its_log(make: Make) -> None:
    began = time.monotonic()
    with pytest.raises(PartFailed, match=r"(?s)^greeter ended while starting:\n.*line 7\nno such table$"):
        make("for n in range(8): print('line', n)\nraise SystemExit('no such table')", patience=600).start()
    assert time.monotonic() - began < 60


def test_a_part_that_does_not_become_ready_is_reported_with_its_log(make: Make) -> None:
    part = make(ready=lambda: False, patience=1)
    with pytest.raises(PartFailed, match=r"^greeter is not ready after 1 s:\nlistening$"):
        part.start()


def test_a_program_that_is_not_there_is_named(make: Make) -> None:
    with pytest.raises(PartFailed, match=r"no-such-program cannot be run: No such file"):
        make(argv=["no-such-program"]).start()


def test_a_taken_port_is_named_and_the_program_there_not_mistaken_for_the_part(make: Make) -> None:
    part = make()
    message = f"greeter cannot start: another program listens on {part.address}"
    with socket.create_server(("127.0.0.1", port_of(part))), pytest.raises(PartFailed, match=f"^{message}$"):
        part.start()
    part.start()
    assert hears(port_of(part))


def test_the_log_keeps_what_earlier_runs_said(make: Make) -> None:
    part = make()
    part.start()
    part.stop()
    part.start()
    assert part.log_tail().splitlines() == ["listening", "goodbye", "listening"]
    assert part.log_tail(1) == "listening"


def test_the_environment_of_the_program_is_added_to_ours(make: Make) -> None:
    part = make("import os; print(os.environ['COLOUR'], 'PATH' in os.environ)", environment={"COLOUR": "red"})
    with pytest.raises(PartFailed, match=r"red True$"):
        part.start()


def test_a_ctrl_c_for_the_owner_does_not_reach_the_part(make: Make) -> None:
    part = make()
    part.start()
    assert os.getsid(part.pid) == part.pid != os.getsid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_part_may_run_as_another_user(make: Make) -> None:
    part = make(uid=65534, argv=["id"])
    with pytest.raises(PartFailed, match=r"uid=65534.* gid=65534.* groups=65534"):
        part.start()
