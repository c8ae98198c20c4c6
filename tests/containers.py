"""Stacks of containers for tests, and what holds for the containers of every phase."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from workbook.admin import Admin, an_email, appointing
from workbook.bearer import Token
from workbook.compose import ComposeStack, metrics_ports, run
from workbook.lock import pins
from workbook.needs import needs
from workbook.part import PartFailed
from workbook.phases import ROOT, phase_folders, services
from workbook.ports import STANDARD, WATCHING

POSTGRES, KAFKA = "postgres", "kafka"
USERS, GATEWAY = "user-service", "api-gateway"
PROMETHEUS, ALERTMANAGER, JAEGER = "prometheus", "alertmanager", "jaeger"
WITHOUT = {"grafana"}  # its image is brought by no test (see workbook/needs.py)
PHASE_OF_GRAFANA = 4
ELSEWHERE = {*(f"needs the address of {name}" for name in WITHOUT), "needs a cluster: --target kubernetes"}
KILLED = 137
ADDED_BYTES = {1: 125_000_000, 5: 190_000_000}
"""What an image may add to its base, from a phase on. Measured: 104 MB, SQLAlchemy 29 and gRPC 19 of them; 157 MB."""
PACKAGES = {
    1: ["booking_service", "chassis", "phase1"],
    2: ["booking_saga", "event_service", "phase2"],
    3: ["booking_outbox", "messaging", "metrics_consumer", "phase3"],
    4: ["phase4", "telemetry"],
    5: ["access", "api_gateway", "phase5", "user_service"],
}


@contextmanager
def stack_of(phase: int, files: Sequence[Path] = (), **environment: str) -> Iterator[ComposeStack]:
    """The stack of a phase, or of these files, under names of its own; its images go with it."""
    needs("docker", f"phase{phase}-images")
    name = f"ticket-workbook-test{phase}-{os.getpid()}"
    try:
        moved = {"TAG": name, "POSTGRES_PASSWORD": "not-the-default", **environment}
        with ComposeStack(phase, name, moved, without=WITHOUT, files=files) as running:
            yield running
    finally:
        run(["docker", "image", "rm", "--force", *(image(service.name, name) for service in services(phase))])


class EveryStack:
    """Tests for the `stack` of the module that takes them over."""

    def test_the_checklists_pass_against_it(self, stack: ComposeStack) -> None:
        first = min(
            stack.phase, PHASE_OF_GRAFANA
        )  # the newest system is asked the newest two: all of them take minutes
        phases = [str(phase) for phase in range(first, stack.phase + 1)]
        patient = ("--target", "compose", "--deadline", "20")  # a busy machine is no fault of the system's
        boards = "\n".join(learn(stack, "check", phase, *patient) for phase in phases)
        assert "✓" in boards
        assert "✗" not in boards, boards
        left = {line for line in boards.splitlines() if "not run (" in line}
        assert all(any(need in line for need in ELSEWHERE) for line in left), boards
        assert bool(left) == ("○" in boards) == (stack.phase >= PHASE_OF_GRAFANA), boards

    def test_python_is_the_first_process_and_has_no_rights(self, stack: ComposeStack) -> None:
        for name in served(stack):
            command = stack.inside(name, "cat", "/proc/1/cmdline").split("\0")
            assert command[:5] == ["python", "-m", f"phase{stack.phase}", "serve", name]
            status = dict(line.split(":\t", 1) for line in stack.inside(name, "cat", "/proc/1/status").splitlines())
            assert status["Uid"].split() == ["10001"] * 4
            assert status["NoNewPrivs"] == "1"
            assert int(status["CapBnd"], 16) == 0

    def test_files_cannot_be_changed_but_in_tmp(self, stack: ComposeStack) -> None:
        for name in served(stack):
            stack.inside(name, "touch", "/tmp/fine")
            with pytest.raises(PartFailed, match="Read-only file system"):
                stack.inside(name, "touch", "/app/changed")

    def test_ports_are_open_on_this_machine_only(self, stack: ComposeStack) -> None:
        for name in standing(stack):
            ports = inspect(stack, name)["NetworkSettings"]["Ports"]
            assert {port: [place["HostIp"] for place in places] for port, places in ports.items() if places} == {
                f"{port}/tcp": ["127.0.0.1"] for port in open_ports(stack, name)
            }

    def test_memory_is_limited_and_was_enough(self, stack: ComposeStack) -> None:
        for name in stack.services:
            assert 0 < inspect(stack, name)["HostConfig"]["Memory"] <= 768 << 20
            assert not inspect(stack, name)["State"]["OOMKilled"]

    def test_what_runs_once_is_not_started_again(self, stack: ComposeStack) -> None:
        for name in stack.services - set(standing(stack)):
            assert inspect(stack, name)["State"]["ExitCode"] == 0
            assert inspect(stack, name)["HostConfig"]["RestartPolicy"]["Name"] == "no"

    def test_the_image_holds_what_its_lock_says_and_no_more(self, stack: ComposeStack) -> None:
        listing = "from importlib.metadata import distributions as d; print(*(f'{x.name}=={x.version}' for x in d()))"
        locked = pins(phase_folders()[stack.phase] / "requirements.lock").items()
        for name in served(stack):
            installed = {line.lower().replace("_", "-") for line in stack.inside(name, "python", "-c", listing).split()}
            assert installed <= {f"{package}=={pin}" for package, pin in locked}
            assert {"grpcio", "psycopg-binary", "alembic"} <= {line.split("==")[0] for line in installed}

    def test_the_image_holds_the_code_of_its_phases_and_no_tests(self, stack: ComposeStack) -> None:
        packages = [package for phase, added in PACKAGES.items() if phase <= stack.phase for package in added]
        for name in served(stack):
            assert stack.inside(name, "ls", "/app").split() == sorted(packages)
            assert stack.inside(name, "ls", "/app/chassis/__pycache__")

    def test_the_image_is_small(self, stack: ComposeStack) -> None:
        for name in served(stack):
            sizes = stack.inside(name, "du", "--summarize", "--bytes", "/opt/venv", "/app").splitlines()
            allowed = ADDED_BYTES[max(phase for phase in ADDED_BYTES if phase <= stack.phase)]
            assert sum(int(line.split()[0]) for line in sizes) < allowed

    def test_told_to_stop_it_ends_by_itself(self, stack: ComposeStack) -> None:
        stack.compose("stop", *served(stack))
        try:
            for name in served(stack):
                assert inspect(stack, name)["State"]["ExitCode"] == 0
                assert '"event": "stopped"' in stack.compose("logs", name)
        finally:
            stack.start()


def learn(stack: ComposeStack, *words: str) -> str:
    """What `./learn` prints, run from another shell, which knows nothing of the ports and the password moved here."""
    command = [sys.executable, "-m", "workbook", *words]
    return run(command, {**os.environ, "COMPOSE_PROJECT_NAME": stack.project, "COLUMNS": "200"})


@cache
def token_of(stack: ComposeStack) -> Token | None:
    """An admin's, made for this; None where nobody is asked for one."""
    if USERS not in served(stack):
        return None
    return Admin(stack.address(USERS), lambda *who: stack.inside(USERS, *appointing(*who)), an_email()).token


def served(stack: ComposeStack) -> list[str]:
    return [service.name for service in services(stack.phase)]


def standing(stack: ComposeStack) -> list[str]:
    """What runs until it is stopped: the services, what they stand on, and what watches them."""
    around = [POSTGRES, KAFKA, PROMETHEUS, ALERTMANAGER, JAEGER]
    return [name for name in around if name in stack.services] + served(stack)


def open_ports(stack: ComposeStack, name: str) -> list[int]:
    """The ports in its container that this machine reaches."""
    shown, traces = metrics_ports(stack.phase), [STANDARD["traces"], WATCHING["traces-grpc"]]
    own = {**STANDARD, **WATCHING}[name]
    return [own, *([shown[name]] if name in shown else []), *(traces if name == JAEGER else [])]


def configured(*files: str | Path) -> Any:
    """Compose files of the repository with all that they extend and include, as Docker reads them."""
    named = [word for file in files for word in ("-f", str(ROOT / file))]
    return json.loads(run(["docker", "compose", *named, "config", "--format=json"]))


def image(service: str, tag: str) -> str:
    return f"ticket-workbook/{service}:{tag}"


def inspect(stack: ComposeStack, service: str) -> Any:
    return json.loads(run(["docker", "inspect", stack.container(service)]))[0]


def answers(stack: ComposeStack, service: str, *command: str) -> bool:
    """Whether the command, run in the service's container, ends with 0."""
    try:
        stack.inside(service, *command)
    except PartFailed:
        return False
    return True
