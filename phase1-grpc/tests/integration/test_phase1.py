"""`python -m phase1` as a process: it serves, migrates, ends in order, and says in one line why it cannot start."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from booking_service.config import BookingSettings
from chassis.probe import health

from tests.waiting import until
from workbook.part import Part
from workbook.ports import free_port
from workbook.postgres import connect


def environment(settings: BookingSettings, port: int = 0) -> dict[str, str]:
    return {
        **os.environ,
        "DB_HOST": settings.db_host,
        "DB_PORT": str(settings.db_port),
        "DB_NAME": settings.db_name,
        "DB_PASSWORD": settings.db_password.get_secret_value(),
        "GRPC_PORT": str(port),
    }


def run(settings: BookingSettings, *arguments: str, port: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "phase1", *arguments]
    return subprocess.run(command, env=environment(settings, port), capture_output=True, text=True, check=False)


@contextmanager
def running(settings: BookingSettings, port: int, log: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "phase1", "serve", "booking-service"]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment(settings, port), stdout=output, stderr=output, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_asked_to_stop(settings: BookingSettings, tmp_path: Path, number: signal.Signals) -> None:
    port, log = free_port(), tmp_path / "log"
    with running(settings, port, log) as process:
        until(lambda: health(f"127.0.0.1:{port}", "booking.BookingService") == "SERVING")
        process.send_signal(number)
        assert process.wait(30) == 0
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert [event for event in events if event in {"listening", "ready", "stopping", "stopped"}] == [
        "listening",
        "ready",
        "stopping",
        "stopped",
    ]


def test_a_taken_port_is_one_line_and_exit_status_1(settings: BookingSettings, tmp_path: Path) -> None:
    port = free_port()
    with running(settings, port, tmp_path / "log"):
        until(lambda: health(f"127.0.0.1:{port}") == "SERVING")
        second = run(settings, "serve", "booking-service", port=port)
    line = f"booking-service: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert (second.returncode, second.stderr) == (1, line)


def test_a_wrong_setting_is_one_line_and_exit_status_1(settings: BookingSettings) -> None:
    wrong = settings.model_copy(update={"db_port": "postgres"})
    refused = run(wrong, "serve", "booking-service")
    assert refused.returncode == 1
    assert refused.stderr.startswith("booking-service: DB_PORT: ")
    assert len(refused.stderr.splitlines()) == 1


def test_two_migrators_at_once_make_one_migrated_database(not_there: BookingSettings, postgres: Part) -> None:
    command = [sys.executable, "-m", "phase1", "migrate", "booking-service"]
    both = [
        subprocess.Popen(command, env=environment(not_there), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    with connect(postgres.address, not_there.db_name) as connection:
        assert connection.execute("SELECT FROM pg_tables WHERE tablename = 'bookings'").rowcount == 1
