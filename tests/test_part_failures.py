"""Parts that end by themselves, cannot start, or are asked what makes no sense: what they say, how they recover."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.greeters import Make, greeters, hears, port_of, state
from tests.waiting import until
from workbook.part import PartFailed, State


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with greeters(tmp_path) as make:
        yield make


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
    part.spawn()
    until(lambda: part.log_tail() == "listening")
    with pytest.raises(PartFailed, match=r"^greeter is not ready after 1 s:\nlistening$"):
        part.wait_ready()


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
