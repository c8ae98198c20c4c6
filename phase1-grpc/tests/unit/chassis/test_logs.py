"""Logs: one line an event on standard output, ours and the libraries' alike. Each test is a process of its own."""

import json
import subprocess
import sys

SCRIPT = """
import logging, sys
import structlog
from chassis.logs import configure_logs
from chassis.settings import ServiceSettings

def more(_logger, _method, line):
    return {**line, "more": "on each"}

settings = ServiceSettings(service_name="paper", log_format=sys.argv[1], log_level="info", db_password="hunter2")
configure_logs(settings, [more])
log = structlog.get_logger("paper.scissors")
log.debug("too quiet")
log.info("ours", booking="çok\\n🎫", settings=ServiceSettings(db_password="hunter2"))
logging.getLogger("some.library").warning("theirs %s", 1)
logging.getLogger("some.library").debug("too quiet")
try:
    raise LookupError("lost")
except LookupError:
    log.exception("failed")
"""


def logged(log_format: str) -> str:
    ran = subprocess.run([sys.executable, "-c", SCRIPT, log_format], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout


def test_json_is_one_object_a_line_with_who_when_and_how_bad() -> None:
    output = logged("json")
    ours, theirs, failed = map(json.loads, output.splitlines())
    assert (ours["event"], ours["booking"], ours["level"]) == ("ours", "çok\n🎫", "info")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("theirs 1", "some.library", "warning")
    assert failed["exception"].endswith("LookupError: lost")
    for line in (ours, theirs, failed):
        assert line["service"] == "paper"
        assert line["more"] == "on each"
        assert line["timestamp"].endswith("Z")
    assert "hunter2" not in output


def test_text_is_for_people() -> None:
    output = logged("text")
    assert "ours" in output
    assert "theirs 1" in output
    assert "LookupError: lost" in output
    assert "too quiet" not in output
    assert "\x1b" not in output  # colours would be noise in a file
