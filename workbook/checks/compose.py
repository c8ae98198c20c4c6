"""A phase's compose stack as a target: is it up, where does it listen, how is a service of it killed or paused."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from chassis.settings import PostgresSettings

from workbook.admin import Admin, an_email, appointing
from workbook.bearer import Token
from workbook.checks.parts import GATEWAY, GATEWAY_SERVICE
from workbook.checks.system import CannotRestart
from workbook.compose import metrics_ports, settings_outside
from workbook.phases import ROOT, newest_composed_phase, phase_folders
from workbook.ports import STANDARD, WATCHING

_LIMIT = 90  # seconds for one docker command
_TRIES = 3
_WHOLE = "docker-compose.yml"  # the newest phase's system, under a project name of its own
_KAFKA, _USERS = "kafka", "user-service"
_ANSWERING = {name: port for name, port in STANDARD.items() if name.endswith("-service")}


class Compose:
    """The stack of `phaseN-*/compose.yaml`, of a later phase, or of `docker-compose.yml`, which is the newest phase's.

    It is looked at and never brought up or down here.
    """

    def __init__(self, phase: int) -> None:
        self._phase = phase
        self.file = f"{phase_folders()[phase].name}/compose.yaml"
        self._files = _files(phase)

    def problem(self) -> str:
        """Why the stack cannot be checked and what to run, "" when it can; finds which file's stack is up."""
        if shutil.which("docker") is None:
            return "docker is not installed: install it, or check without it: --target local"
        if not (ROOT / self.file).exists():
            return f"there is no {self.file}; check without Docker: --target local"
        for file in self._files:
            listed = self._docker("ps", "--format", "json", file=file)
            if listed.returncode:
                return f"docker compose does not work here: {_last_line(listed)}"
            if _published(listed.stdout, _ANSWERING):
                self.file = file
                return ""
        return f"the compose stack is not up; run: docker compose -f {self.file} up -d --build --wait"

    def addresses(self) -> dict[str, str]:
        """Where each running service that answers calls listens on this machine, by its name."""
        return self._found(_ANSWERING)

    def gateway(self) -> dict[str, str]:
        """Where it is open to the world, from phase 5 on."""
        found = self._found({GATEWAY_SERVICE: STANDARD[GATEWAY_SERVICE]})
        return {GATEWAY: found[GATEWAY_SERVICE]} if found else {}

    def metrics(self) -> dict[str, str]:
        """Where each running service shows its figures to Prometheus, by its name."""
        return self._found(metrics_ports(self._phase))

    def watchers(self) -> dict[str, str]:
        """Where figures, alerts, traces and dashboards are asked for, by their names."""
        return self._found(WATCHING)

    def kafka(self) -> str:
        """Where the broker listens on this machine; "" where none runs."""
        return self._found({_KAFKA: STANDARD[_KAFKA]}).get(_KAFKA, "")

    def restart(self, service: str) -> None:
        """SIGKILL, then the same container again: `up` would make a new one where ports or passwords were moved."""
        self._done("kill", "-s", "SIGKILL", service)
        self._done("start", service)

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """Frozen inside the block: its connections stay open, it answers nothing."""
        self._frozen(service)
        try:
            yield
        finally:
            self._done("unpause", service)

    def _frozen(self, service: str) -> None:
        """A container whose processes are busy cannot always be frozen at the first try."""
        for _ in range(_TRIES - 1):
            with suppress(CannotRestart):
                self._done("pause", service)
                return
        self._done("pause", service)

    def databases(self) -> dict[str, PostgresSettings]:
        """Where each service keeps its data. The password is asked of the container: it may have been moved, too."""
        password = self._done("exec", "--no-TTY", "postgres", "printenv", "POSTGRES_PASSWORD")
        return settings_outside(self._phase, self._done("port", "postgres", "5432"), password)

    def token(self) -> Token | None:
        """An admin's, made for this; None where nobody is asked for one."""
        address = self.addresses().get(_USERS)

        def appoint(email: str, password: str) -> None:
            self._done("exec", "--no-TTY", _USERS, *appointing(email, password))

        return Admin(address, appoint, an_email()).token if address else None

    def _done(self, *command: str) -> str:
        done = self._docker(*command)
        if done.returncode:
            # Not the whole command: with `exec`, a password may stand in it.
            raise CannotRestart(f"docker compose {command[0]}: {_last_line(done)}")
        return done.stdout.strip()

    def _found(self, ports: Mapping[str, int]) -> dict[str, str]:
        return _published(self._docker("ps", "--format", "json").stdout, ports)

    def _docker(self, *arguments: str, file: str = "") -> "subprocess.CompletedProcess[str]":
        command = ["docker", "compose", "-f", file or self.file, *arguments]
        try:
            return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"no answer within {_LIMIT} s")


def _files(phase: int) -> list[str]:
    """Whose stack may be checked: a later phase only adds. Phase 1 alone takes bookings for events nobody has made."""
    newest = newest_composed_phase()
    later = range(phase, newest + 1) if phase > 1 else [phase]
    files = [f"{phase_folders()[number].name}/compose.yaml" for number in later]
    return [*files, _WHOLE] if newest in later else files


def _published(listed: str, ports: Mapping[str, int]) -> dict[str, str]:
    """Where the running ones of these services have this port of theirs on this machine."""
    running = [container for container in _containers(listed) if container["State"] == "running"]
    return {
        container["Service"]: f"127.0.0.1:{place['PublishedPort']}"
        for container in running
        for place in container.get("Publishers") or ()
        if place["PublishedPort"] and place["TargetPort"] == ports.get(container["Service"])
    }


def _containers(listed: str) -> list[dict[str, Any]]:
    # Compose before 2.21 printed one JSON array, since then one object a line.
    lines = [json.loads(line) for line in listed.splitlines() if line.strip()]
    return [container for line in lines for container in (line if isinstance(line, list) else [line])]


def _last_line(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[-1]
