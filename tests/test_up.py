"""`./learn up` in a terminal: impatient people press Ctrl-C more than once."""

import contextlib
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.waiting import until
from workbook.guard import family, living

UP = [sys.executable, "-u", "-m", "workbook", "up", "--phase", "1", "--free-ports"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_more_than_one_ctrl_c_leaves_no_less_than_one(number: signal.Signals) -> None:
    said = ""
    with subprocess.Popen(UP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as up:
        assert up.stdout is not None
        while "Running until Ctrl-C" not in said:
            said += up.stdout.readline()
        everyone = family(up.pid)
        press(up, number)
        said += up.stdout.read()
    found = re.search(r"logs in\s+(\S+)", said)
    assert found is not None
    assert said.endswith("stopped; nothing is left behind\n")
    assert "Traceback" not in said
    assert not Path(found[1]).exists()
    until(lambda: not everyone & living().keys())
    assert up.returncode == 0


def press(up: subprocess.Popen[str], number: signal.Signals) -> None:
    """Again and again, until it has ended."""
    while up.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            up.send_signal(number)
        time.sleep(0.03)
