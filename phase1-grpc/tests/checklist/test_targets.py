"""Where the checks go: what is said when there is nobody, how a server is killed and started, what compose answers."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from tests.checklist.scripts import restart_command, wrong_servers

from workbook.checklist import run
from workbook.checks.probe import silence
from workbook.checks.report import Report
from workbook.checks.system import System
from workbook.checks.targets import NoTarget, addresses, open_target
from workbook.checks.verdict import Wrong

NOWHERE = ["localhost", "localhost:", ":50051", "localhost:0", "localhost:65536", "http://localhost:80", "a b:1", " "]
SERVICE = "booking-service"


@pytest.mark.parametrize("target", NOWHERE)
def test_malformed_target(target: str) -> None:
    with pytest.raises(NoTarget, match="is no target: write local, compose, or HOST:PORT such as"):
        addresses(target)


def test_a_malformed_target_is_one_line() -> None:
    problem(run(1, "localhost"), "'localhost' is no target: write local, compose, or HOST:PORT such as 127.0.0.1:50051")


def test_several_services() -> None:
    targets = addresses("localhost:1, event-service=[::1]:2")
    assert targets == {SERVICE: "localhost:1", "event-service": "[::1]:2"}


def test_nobody_there() -> None:
    problem(run(1, "127.0.0.1:1"), "nothing answers at 127.0.0.1:1 (Connection refused): start your server there")


def test_unknown_host() -> None:
    assert "nothing answers at no-such-host.invalid:50051" in silence("no-such-host.invalid:50051", 1)


def test_somebody_who_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        assert f"something listens at {target} but does not answer as gRPC" in silence(target, 0.5)


def test_a_web_server() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as web:
        serving = Thread(target=web.serve_forever)
        serving.start()
        target = f"127.0.0.1:{web.server_port}"
        assert "does not answer as gRPC" in silence(target, 0.5)
        web.shutdown()
        serving.join()


def test_a_grpc_server_that_is_stuck() -> None:
    over = Event()

    class Stuck(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda request, _context: over.wait() and request)

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Stuck()])
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    assert f"{target} accepts connections but answered no call within 3 s" in silence(target, 3)
    over.set()
    server.stop(None).wait()


def problem(report: Report, words: str) -> None:
    assert words in report.problem
    assert "Traceback" not in report.problem
    assert not report.checks
    assert report.status == 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="module")
def target(folder: Path) -> Iterator[str]:
    with wrong_servers(folder, ["right"]) as targets:
        yield targets["right"]


def opened(target: str, restart: str | None = None, pause: str | None = None) -> System:
    with open_target(1, target, restart, pause, patience=2, progress=lambda _: None) as system:
        return system


def test_restart(target: str, folder: Path) -> None:
    system = opened(target, restart_command(folder, "right"))
    system.restart(SERVICE)
    assert not system.gone


def test_restart_knows_the_service(target: str, folder: Path) -> None:
    named = folder / "named"
    opened(target, f'echo -n "$SERVICE" > {named}; {restart_command(folder, "right")}').restart(SERVICE)
    assert named.read_text() == SERVICE


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (None, r"needs --restart COMMAND, a command that kills your server and starts it again"),
        ("true", r"the restart left the server running, its connections stayed open"),
        ("echo no such thing >&2; exit 3", r"could not be restarted: 'echo .*' exited with 3: no such thing"),
    ],
)
def test_what_is_no_restart_gives_no_verdict(target: str, command: str | None, reason: str) -> None:
    system = opened(target, command)
    with pytest.raises(pytest.skip.Exception, match=reason):
        system.restart(SERVICE)
    assert not system.gone


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (None, r"needs --pause COMMAND, a command that sends \$SIGNAL, STOP or CONT, to your \$SERVICE"),
        ("true", r"the pause left the server answering: stop its process with SIGSTOP"),
        ("echo no such thing >&2; exit 3", r"could not be paused: 'echo .*' exited with 3: no such thing"),
    ],
)
def test_what_is_no_pause_gives_no_verdict(
    target: str, command: str | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbook.checks.system._SILENCE", 10)  # who answers late is not silent
    system = opened(target, pause=command)
    with pytest.raises(pytest.skip.Exception, match=reason), system.paused(SERVICE):
        pytest.fail("nothing is paused")
    assert not system.gone


def test_a_server_that_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbook.checks.system.RESTART_PATIENCE", 0.5)
    with ExitStack() as server:
        targets = server.enter_context(wrong_servers(tmp_path, ["right"]))
        system = System("a server", {SERVICE: targets["right"]}, killer=lambda _: server.close())
        with pytest.raises(Wrong, match=r"did not answer at .* within 0.5 s of the restart"):
            system.restart(SERVICE)
    assert system.gone == "the restart"


def test_compose_needs_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    problem(run(1, "compose"), "docker is not installed: install it, or check without it: --target local")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 0", "the compose stack is not up; run: docker compose -f phase1-grpc/compose.yaml up -d --build --wait"),
        ("echo first >&2; echo cannot connect >&2; exit 1", "docker compose does not work here: cannot connect"),
    ],
)
def test_compose_must_be_up(script: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    problem(run(1, "compose"), words)
