"""A part of the local stack: start, kill, pause, resume, restart and stop."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.greeters import GREETER, PARENT, STUBBORN, Make, greeters, hears, port_of, state
from tests.waiting import until
from workbook.guard import living
from workbook.part import State
from workbook.ports import is_free


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with greeters(tmp_path) as make:
        yield make


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
    part = make(STUBBORN, grace=3)
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
