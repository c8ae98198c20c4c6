"""The local stack leaves nothing behind, whatever ends its owner, and sweeps what a dead one could not."""

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.waiting import until
from workbook.guard import family, living
from workbook.part import PartFailed, State
from workbook.ports import is_free
from workbook.run_folder import claim_folder, sweep
from workbook.stack import LocalStack

OWNER = """
import json, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests themselves run in the background
from workbook.stack import LocalStack
with LocalStack(1) as stack:
    if len(sys.argv) > 1:
        stack[sys.argv[1]].pause()
    ports = [int(part.address.split(":")[1]) for part in stack.parts.values()]
    print(json.dumps([str(stack.folder), ports]), flush=True)
    time.sleep(3600)
"""


@pytest.mark.parametrize(("number", "paused"), [(signal.SIGKILL, ["postgres"]), (signal.SIGINT, [])])
def test_nothing_outlives_the_owner(number: signal.Signals, paused: list[str]) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, *paused], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with owner:
        assert owner.stdout is not None
        folder, taken = json.loads(owner.stdout.readline())
        everyone = family(owner.pid)
        assert len(everyone) > 5
        owner.send_signal(number)
        until(lambda: not everyone & living().keys())
    assert all(map(is_free, taken))
    assert Path(folder).exists() is (number is signal.SIGKILL)
    sweep()
    assert not Path(folder).exists()


def test_a_service_that_cannot_start_is_reported_with_its_log_and_leaves_nothing() -> None:
    stack = LocalStack(1, environment={"GRPC_HOST": "192.0.2.1"})
    with pytest.raises(PartFailed, match=r"(?s)^booking-service ended while starting:.*cannot listen on 192\.0\.2\.1:"):
        stack.start()
    assert not stack.folder.exists()
    stack.stop()  # once more does no harm
    assert all(part.state is State.STOPPED for part in stack.parts.values())
    assert is_free(int(stack["postgres"].address.split(":")[1]))


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for temporary files of this test's own: other stacks may run on this machine."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_swept_when_nobody_holds_its_lock(temporary: Path) -> None:
    lock = claim_folder()
    folder = Path(lock.name).parent
    (folder / "postgres").mkdir()
    sweep()
    assert folder.exists()
    lock.close()
    sweep()
    assert list(temporary.iterdir()) == []


def test_what_is_not_a_stacks_folder_is_never_swept(temporary: Path) -> None:
    other = temporary / "ticket-workbook-of-mine"
    other.mkdir()
    (other / "owner.lock").touch()
    sweep()
    assert other.exists()
